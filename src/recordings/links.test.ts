import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  expiryOf,
  forgetAt,
  isSignedBy,
  type Link,
  MAX_LINK_SECONDS,
  mintSigningKey,
  readLink,
  type SigningKey,
  signLink,
} from './links.ts';

const key = fc
  .uint8Array({ minLength: 41, maxLength: 41 })
  .map((bytes) => mintSigningKey(0, (size) => Buffer.from(bytes.slice(0, size))));

const link: fc.Arbitrary<Link> = fc.record({
  contactCenterId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  number: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  expiresAt: fc.integer({ min: 1, max: 1e8 }).map((minute) => minute * 60_000),
  revocations: fc.nat(),
  tokenId: fc.option(fc.uuid()),
  disposition: fc.constantFrom('inline', 'attachment'),
});

/** Whether a text is taken for a link that the key signed. */
function isTaken(text: string, by: SigningKey): boolean {
  const read = readLink(text);
  return read !== null && read.keyId === by.id && isSignedBy(read, by);
}

const CHARACTERS = [...'ABCXYZabcxyz0123456789-_=&?/%+. \n', '\u0000', 'é', '٣'];

describe('links', () => {
  it('say what was signed', () => {
    fc.assert(
      fc.property(link, key, (said, by) => {
        const text = signLink(said, by);
        assert.match(text, /^[!-~]+$/);
        const read = readLink(text);
        assert.ok(read);
        const { keyId, signed, signature, ...told } = read;
        assert.deepEqual({ ...told }, { ...said });
        assert.equal(keyId, by.id);
        assert.equal(`${signed}&signature=${signature}`, text);
        assert.ok(isSignedBy(read, by));
      }),
    );
  });

  it('are refused with any one character changed, lost, put in or doubled', () => {
    fc.assert(
      fc.property(link, key, fc.constantFrom(...CHARACTERS), (said, by, character) => {
        const text = signLink(said, by);
        for (let at = 0; at <= text.length; at += 1) {
          const [before, after] = [text.slice(0, at), text.slice(at)];
          assert.equal(isTaken(before + character + after, by), false, `put in at ${at}`);
          if (at === text.length) continue;
          assert.equal(isTaken(before + after.slice(1), by), false, `lost at ${at}`);
          if (text[at] === character) continue;
          assert.equal(isTaken(before + character + after.slice(1), by), false, `changed at ${at}`);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('are refused with any one bit of the signature changed, the two that base64url leaves over too', () => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(link, key, (said, by) => {
        const text = signLink(said, by);
        for (const digit of digits) {
          const other = text.slice(0, -1) + digit;
          assert.equal(isTaken(other, by), other === text);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are refused where another key is said to have signed, and where anything said differs', () => {
    fc.assert(
      fc.property(link, link, key, key, (said, other, by, another) => {
        fc.pre(by.secret !== another.secret);
        const text = signLink(said, by);
        assert.equal(isTaken(text, { ...another, id: by.id }), false);
        for (const name of Object.keys(said) as (keyof Link)[]) {
          const forged = { ...said, [name]: other[name] };
          if (forged[name] === said[name]) continue;
          const signature = text.slice(text.indexOf('&signature='));
          const claim = signLink(forged, by).replace(/&signature=.*$/, signature);
          assert.equal(isTaken(claim, by), false, name);
        }
      }),
    );
  });

  it('are signed the same way for ever: links that are out must go on working', () => {
    const said: Link = {
      contactCenterId: 3,
      number: 42,
      expiresAt: 1_772_625_600_000,
      revocations: 1,
      tokenId: '0199f6a4-0000-7000-8000-000000000001',
      disposition: 'inline',
    };
    const text =
      '/rollcall/v1/media/3/42?expires=1772625600&revocations=1' +
      '&token=0199f6a4-0000-7000-8000-000000000001&as=inline&key=AAAAAAAAAAAA';
    const by = mintSigningKey(0, (size) => Buffer.alloc(size));
    // Made with: openssl dgst -sha256 -mac HMAC -macopt hexkey:00..00
    const signature = '5lNTQHvk64q-L4j4L8NfGqvl3wLkFqB0L5CC8z5x4Fo';
    assert.equal(signLink(said, by), `${text}&signature=${signature}`);
  });

  it('of a key that was retired hold for as long as any that it signed before', () => {
    fc.assert(
      fc.property(link, key, fc.integer({ min: 0, max: 6e12 }), (said, by, retiredAt) => {
        const text = signLink(said, by);
        assert.equal(isTaken(text, { ...by, retiredAt }), said.expiresAt <= forgetAt(retiredAt));
      }),
    );
  });

  it('end at a whole minute, never sooner than they should', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 1, max: MAX_LINK_SECONDS }),
        (now, seconds) => {
          const end = expiryOf(now, seconds);
          assert.equal(end % 60_000, 0);
          assert.ok(end >= now + seconds * 1000 && end < now + seconds * 1000 + 60_000);
          assert.ok(forgetAt(now) >= end);
        },
      ),
    );
  });
});
