import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeenKeys } from './seen-keys.ts';

/** Keys such as users have: much alike. */
const KINDS: readonly ((person: number) => string)[] = [
  (person) => `person.number${person}@demo.example`,
  (person) => `0190${person.toString(16).padStart(4, '0')}-0000-7000-8000-000000000000`,
  (person) => String(100_000 + person),
  (person) => `ünal-${person}`,
];

describe('keys that were seen', () => {
  it('are all known, and of the others few are taken for known', () => {
    const seen = new SeenKeys();
    const PEOPLE = 50_000;
    for (const kind of KINDS) for (let person = 0; person < PEOPLE; person += 1) seen.add(kind(person));
    for (const kind of KINDS) {
      let wrong = 0;
      for (let person = 0; person < PEOPLE; person += 1) {
        assert.ok(seen.has(kind(person)), kind(person));
        if (seen.has(kind(PEOPLE + person))) wrong += 1;
      }
      assert.ok(wrong < PEOPLE / 200, `${wrong} keys such as ${kind(PEOPLE)} were taken for known`);
    }
  });
});
