import { randomUUID } from 'node:crypto';
import type { Transaction } from './engine.ts';

/** A text that no contact center has had yet. */
export function createEpoch(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * Has everything that processes keep of a store hold no more: its rows were put in from elsewhere, and revisions
 * that were given before will be given again.
 */
export async function renewEpochs(transaction: Pick<Transaction, 'run'>): Promise<void> {
  // One for all: their ids tell them apart.
  const sql = `update contact_centers set epoch = '${createEpoch()}'`;
  await transaction.run({ name: 'moving.epochs', sql, parameters: [] }, {});
}
