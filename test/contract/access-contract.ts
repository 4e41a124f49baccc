import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { hashSecret, mintSecret, type Token } from '../../src/access/token.ts';
import { Failure } from '../../src/errors.ts';
import { idOf } from './people.ts';
import { type EngineUnderTest, useStore } from './store-contract.ts';

/** Contact centers, their settings, and tokens. */
export function describeAccess(engine: EngineUnderTest): void {
  describe('contact centers and tokens', () => {
    const opened = useStore(engine);
    let made = 0;

    async function addToken(contactCenter: ContactCenter, changes: Partial<Token> = {}) {
      made += 1;
      const token: Token = {
        id: idOf(made),
        contactCenterId: contactCenter.id,
        label: 'Zoë\'s "laptop"',
        scopes: ['users:read'],
        dialects: null,
        createdAt: 1000,
        expiresAt: null,
        revokedAt: null,
        ...changes,
      };
      const hash = hashSecret(mintSecret());
      await opened.store.access.addToken(token, hash);
      return { token, hash };
    }

    it('finds a contact center by its name alone', async () => {
      const { access } = opened.store;
      const contactCenter = await access.createContactCenter('north', 'Europe/Istanbul', 5);
      assert.deepEqual(await access.findContactCenter('north'), contactCenter);
      assert.deepEqual(contactCenter.settings, {});
      for (const name of ['North', 'nort', 'north ', '', '%']) {
        assert.equal(await access.findContactCenter(name), null);
      }
      await assert.rejects(
        access.createContactCenter('north', 'UTC', 6),
        (error) => error instanceof Failure && error.kind === 'conflict',
      );
      const names = (await access.contactCenters()).map((each) => each.name);
      assert.ok(names.includes('north'));
      assert.deepEqual(names, names.toSorted());
    });

    it('makes two of a name once, whoever comes first', async () => {
      const { access } = opened.store;
      const results = await Promise.allSettled(
        [1, 2, 3].map(() => access.createContactCenter('twice', 'UTC', 1)),
      );
      assert.deepEqual(results.map((result) => result.status).sort(), ['fulfilled', 'rejected', 'rejected']);
    });

    it('keeps settings apart by key and by contact center', async () => {
      const { access } = opened.store;
      const first = await opened.contactCenter('Asia/Tokyo');
      const second = await opened.contactCenter();
      await access.setSetting(first, 'convoso.profile', 'official');
      await access.setSetting(first, 'convoso.userRequired', 'false');
      await access.setSetting(first, 'convoso.profile', 'community');
      await access.setSetting(first, 'timezone', 'Europe/Lisbon');
      const now = await opened.again(first);
      assert.deepEqual(now.settings, { 'convoso.profile': 'community', 'convoso.userRequired': 'false' });
      assert.equal(now.timezone, 'Europe/Lisbon');
      assert.ok(now.revision > first.revision);
      assert.deepEqual(await opened.again(second), second);
    });

    it('finds a token by its hash, with its contact center as it is now', async () => {
      const contactCenter = await opened.contactCenter();
      const other = await opened.contactCenter();
      const all = await addToken(contactCenter, { scopes: ['users:read', 'recordings:read'] });
      const some = await addToken(contactCenter, { dialects: ['voiso', 'smartflo'], expiresAt: 5 });
      await addToken(other);
      assert.deepEqual(await opened.store.access.findToken(all.hash), { token: all.token, contactCenter });
      assert.deepEqual((await opened.store.access.findToken(some.hash))?.token, some.token);
      await opened.store.access.setSetting(contactCenter, 'timezone', 'Asia/Tokyo');
      assert.equal((await opened.store.access.findToken(all.hash))?.contactCenter.timezone, 'Asia/Tokyo');
      for (const hash of ['', all.hash.toUpperCase(), hashSecret(mintSecret()), `${all.hash} `, '%']) {
        assert.equal(await opened.store.access.findToken(hash), null);
      }
      assert.deepEqual(await opened.store.access.tokens(contactCenter), [all.token, some.token]);
    });

    it('revokes a token once', async () => {
      const contactCenter = await opened.contactCenter();
      const { token, hash } = await addToken(contactCenter);
      const kept = await addToken(contactCenter);
      assert.equal(await opened.store.access.revokeToken('nothing', 7), false);
      assert.equal(await opened.store.access.revokeToken(token.id, 7), true);
      assert.equal(await opened.store.access.revokeToken(token.id, 8), false);
      assert.equal((await opened.store.access.findToken(hash))?.token.revokedAt, 7);
      assert.equal((await opened.store.access.findToken(kept.hash))?.token.revokedAt, null);
    });

    it('drops what expired in one contact center', async () => {
      const contactCenter = await opened.contactCenter();
      const other = await opened.contactCenter();
      await addToken(contactCenter, { expiresAt: 99 });
      const kept = [
        await addToken(contactCenter, { expiresAt: 100 }),
        await addToken(contactCenter, { expiresAt: null }),
      ];
      const theirs = await addToken(other, { expiresAt: 1 });
      await opened.store.access.dropExpiredTokens(contactCenter, 100);
      assert.deepEqual(
        await opened.store.access.tokens(contactCenter),
        kept.map(({ token }) => token),
      );
      assert.deepEqual(await opened.store.access.tokens(other), [theirs.token]);
    });

    it('answers a ping', async () => {
      await opened.store.ping();
    });
  });
}
