import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withExtra } from './extra.ts';

describe('kept vendor fields', () => {
  it('come last, in their order', () => {
    assert.equal(
      JSON.stringify(withExtra({ id: 1, name: 'a' }, { intercom: 7, zone: null })),
      '{"id":1,"name":"a","intercom":7,"zone":null}',
    );
  });

  it('never stand in for a field that is shown', () => {
    assert.deepEqual(withExtra({ id: 1, name: null }, { id: 'evil', name: 'evil', more: 1 }), {
      id: 1,
      name: null,
      more: 1,
    });
  });

  it('are plain fields, whatever they are called', () => {
    const extra = JSON.parse('{"__proto__":{"x":1},"constructor":2}');
    assert.equal(JSON.stringify(withExtra({ id: 1 }, extra)), '{"id":1,"__proto__":{"x":1},"constructor":2}');
  });

  it('may be none', () => {
    const shown = { id: 1 };
    assert.equal(withExtra(shown, undefined), shown);
    assert.equal(withExtra(shown, {}), shown);
  });
});
