import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hashSecret, isSecret, mintSecret, parseDuration, parseScopes } from './token.ts';

const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_';
const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('secrets', () => {
  it('are known by their form, and hold all of the randomness', () => {
    const made = new Map<string, string>();
    fc.assert(
      fc.property(bytes, (random) => {
        const secret = mintSecret((size) => Buffer.from(random.subarray(0, size)));
        assert.match(secret, /^rollcall_[0-9A-Za-z]{49}$/);
        assert.ok(isSecret(secret));
        const key = Buffer.from(random).toString('hex');
        assert.equal(made.get(secret) ?? key, key);
        made.set(secret, key);
      }),
      { numRuns: 500 },
    );
    for (const fill of [0, 255]) assert.ok(isSecret(mintSecret((size) => Buffer.alloc(size, fill))));
  });

  it('are refused with any one character changed, lost, doubled or put elsewhere', () => {
    const secret = mintSecret((size) => Buffer.alloc(size, 0x5a));
    for (let at = 0; at < secret.length; at += 1) {
      for (const character of CHARACTERS) {
        if (character === secret[at]) continue;
        assert.equal(isSecret(secret.slice(0, at) + character + secret.slice(at + 1)), false);
      }
      assert.equal(isSecret(secret.slice(0, at) + secret.slice(at + 1)), false);
      assert.equal(isSecret(secret.slice(0, at) + secret[at] + secret.slice(at)), false);
    }
    for (const text of [` ${secret}`, `${secret}\n`, secret.toUpperCase(), '', secret.slice(9)]) {
      assert.equal(isSecret(text), false);
    }
    fc.assert(
      fc.property(bytes, fc.nat(57), fc.constantFrom(...CHARACTERS), (random, at, character) => {
        const whole = mintSecret(() => Buffer.from(random));
        const changed = whole.slice(0, at) + character + whole.slice(at + 1);
        assert.equal(isSecret(changed), changed === whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('are kept as a hash that tells nothing', () => {
    assert.equal(hashSecret('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('scopes and lengths of time', () => {
  it('are read from what the command line takes, and nothing else', () => {
    assert.deepEqual(parseScopes(' recordings:read , users:read'), ['users:read', 'recordings:read']);
    for (const text of ['', 'users', 'users:read,', 'USERS:READ', 'users:write']) {
      assert.throws(() => parseScopes(text), /scopes are a comma list/);
    }
    assert.deepEqual(
      [parseDuration('90d'), parseDuration('12h'), parseDuration('30m')],
      [7_776_000_000, 43_200_000, 1_800_000],
    );
    for (const text of ['', '0d', '-1d', '1', 'd', '1.5h', '1w', '1d ', '9999999d']) {
      assert.throws(() => parseDuration(text), /length of time/);
    }
  });
});
