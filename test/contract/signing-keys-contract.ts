import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuditEvent } from '../../src/access/audit.ts';
import { forgetAt, MAX_LINK_SECONDS } from '../../src/recordings/links.ts';
import { type EngineUnderTest, useStore } from './store-contract.ts';

const ROTATED: AuditEvent = {
  at: 5,
  actor: { kind: 'cli' },
  action: 'key.rotated',
  subject: null,
  outcome: 'done',
  details: { endLinks: false },
};

/** Keys that sign recordings' links. */
export function describeSigningKeys(engine: EngineUnderTest): void {
  describe('signing keys', () => {
    const opened = useStore(engine);
    const keep = { endLinks: false };

    it('are made when one is first needed, once', async () => {
      const { signingKeys } = opened.store;
      const contactCenter = await opened.contactCenter();
      const [first, second] = await Promise.all([
        signingKeys.current(contactCenter, 5),
        signingKeys.current(contactCenter, 6),
      ]);
      assert.deepEqual(first, second);
      assert.deepEqual(await signingKeys.current(contactCenter, 7), first);
      assert.deepEqual(await signingKeys.find(contactCenter.id, first.id), first);
      assert.equal(Buffer.from(first.secret, 'base64url').length, 32);
      assert.equal(first.retiredAt, null);
    });

    it('are those of one contact center', async () => {
      const { signingKeys } = opened.store;
      const [north, south] = [await opened.contactCenter(), await opened.contactCenter()];
      const ofNorth = await signingKeys.current(north, 0);
      const ofSouth = await signingKeys.current(south, 0);
      assert.notEqual(ofNorth.secret, ofSouth.secret);
      assert.notEqual(ofNorth.id, ofSouth.id);
      assert.equal(await signingKeys.find(south.id, ofNorth.id), null);
      assert.equal(await signingKeys.find(9_999_999, ofNorth.id), null);
      await signingKeys.rotate(north, 0, { endLinks: true }, ROTATED);
      assert.deepEqual(await signingKeys.current(south, 0), ofSouth);
    });

    it('that were rotated away are dropped once the last link that they signed has ended', async () => {
      const { signingKeys } = opened.store;
      const contactCenter = await opened.contactCenter();
      const old = await signingKeys.current(contactCenter, 0);
      const { key, retired } = await signingKeys.rotate(contactCenter, 1000, keep, ROTATED);
      assert.equal(retired, 1);
      assert.deepEqual(await opened.store.audit.page(contactCenter, 0, 10), [{ ...ROTATED, number: 1 }]);
      assert.notEqual(key.id, old.id);
      assert.deepEqual(await signingKeys.current(contactCenter, 1000), key);
      const end = forgetAt(1000);
      assert.ok(end >= 1000 + MAX_LINK_SECONDS * 1000);
      assert.equal((await signingKeys.rotate(contactCenter, end - 1, keep, ROTATED)).retired, 2);
      assert.deepEqual(await signingKeys.find(contactCenter.id, old.id), { ...old, retiredAt: 1000 });
      assert.equal((await signingKeys.rotate(contactCenter, end, keep, ROTATED)).retired, 2);
      assert.equal(await signingKeys.find(contactCenter.id, old.id), null);
      assert.notEqual(await signingKeys.find(contactCenter.id, key.id), null);
    });

    it('that were rotated away are gone at once where their links are to end', async () => {
      const { signingKeys } = opened.store;
      const contactCenter = await opened.contactCenter();
      const first = await signingKeys.current(contactCenter, 0);
      const second = (await signingKeys.rotate(contactCenter, 0, keep, ROTATED)).key;
      const { key, retired } = await signingKeys.rotate(contactCenter, 0, { endLinks: true }, ROTATED);
      assert.equal(retired, 0);
      for (const { id } of [first, second]) {
        assert.equal(await signingKeys.find(contactCenter.id, id), null);
      }
      assert.deepEqual(await signingKeys.find(contactCenter.id, key.id), key);
    });
  });
}
