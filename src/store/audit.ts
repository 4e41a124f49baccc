import type { Actor, AuditAction, AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import type { AuditStore, KeptAuditEvent } from '../access/ports.ts';
import { Failure } from '../errors.ts';
import type { Cell, Engine, Transaction } from './engine.ts';
import { inserterOf, int, type Statements } from './statements.ts';

/** How long an event waits for others, in milliseconds. */
const WAIT = 100;
/** How long it is until events that could not be kept are tried again, in milliseconds. */
const RETRY = 1000;
/** How long something may be under way before it is told as begun, in milliseconds. */
const BEGUN = 1000;
/** How long `close` waits for what is still to be told, in milliseconds. */
const PATIENCE = 2000;
/** Events that may wait at most: nothing is done any more that could not be told. */
const MOST_WAITING = 10_000;

const COLUMNS = [
  'contact_center_id',
  'number',
  'at',
  'actor_kind',
  'token_id',
  'action',
  'subject',
  'outcome',
  'details',
] as const;

/** Writes events in a transaction of whoever does what they tell of. */
export type AddEvents = (
  transaction: Transaction,
  cc: number,
  events: readonly AuditEvent[],
) => Promise<void>;

export function createAddEvents(statements: Statements): AddEvents {
  const next = statements.get('audit_events.next', '', (db) =>
    db.selectFrom('contact_centers').select('next_audit_number').where('contact_center_id', '=', int('cc')),
  );
  const advance = statements.get('audit_events.advance', '', (db) =>
    db
      .updateTable('contact_centers')
      .set({ next_audit_number: int('next') })
      .where('contact_center_id', '=', int('cc')),
  );
  const newEvents = inserterOf(statements, 'audit_events', COLUMNS);

  return async (transaction, cc, events) => {
    if (events.length === 0) return;
    const first = Number((await transaction.read(next, { cc }))[0]?.[0]);
    await transaction.insert(
      newEvents,
      events.flatMap(({ at, actor, action, subject, outcome, details }, index) => [
        cc,
        first + index,
        at,
        actor.kind,
        'tokenId' in actor ? actor.tokenId : null,
        action,
        subject,
        outcome,
        JSON.stringify(details),
      ]),
    );
    await transaction.run(advance, { cc, next: first + events.length });
  };
}

function readActor(kind: string, tokenId: string | null): Actor {
  switch (kind) {
    case 'token':
      return { kind, tokenId: tokenId ?? '' };
    case 'link':
      return { kind, tokenId };
    case 'cli':
      return { kind };
    default:
      return { kind: 'job' };
  }
}

function readEvent(row: readonly Cell[]): KeptAuditEvent {
  const [number, at, kind, tokenId, action, subject, outcome, details] = row;
  return {
    number: Number(number),
    at: Number(at),
    actor: readActor(String(kind), tokenId == null ? null : String(tokenId)),
    action: String(action) as AuditAction,
    subject: subject == null ? null : String(subject),
    outcome: String(outcome) as AuditEvent['outcome'],
    details: JSON.parse(String(details)),
  };
}

/**
 * Audit events in the store. `close` waits a while for those that are still to be told, and keeps those that wait;
 * what is told after that is lost.
 * @param writer what they are written by: plays are kept ten times in a second, and nobody should wait for it
 */
export function createAuditStore(
  engine: Engine,
  writer: Pick<Engine, 'transaction' | 'close'>,
  statements: Statements,
  addEvents: AddEvents,
): AuditStore & { close(): Promise<void> } {
  const list = statements.get('audit_events.page', '', (db) =>
    db
      .selectFrom('audit_events')
      .select(COLUMNS.slice(1) as Exclude<(typeof COLUMNS)[number], 'contact_center_id'>[])
      .where('contact_center_id', '=', int('cc'))
      .where('number', '>', int('after'))
      .orderBy('number')
      .limit(int('limit')),
  );
  let waiting: { readonly cc: number; readonly event: AuditEvent }[] = [];
  /** Events that are still to be told, for which there must be room. */
  let expected = 0;
  let onAllTold = () => {};
  let isClosed = false;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function schedule(after: number): void {
    timer ??= setTimeout(() => {
      timer = null;
      // What could not be kept waits for the next try.
      writeSoon().catch(() => schedule(RETRY));
    }, after);
  }

  function writeSoon(): Promise<void> {
    writing = writing.catch(() => {}).then(write);
    return writing;
  }

  async function write(): Promise<void> {
    const batch = [...waiting];
    if (batch.length === 0) return;
    const byContactCenter = Map.groupBy(batch, ({ cc }) => cc);
    await writer.transaction([...byContactCenter.keys()], async (transaction) => {
      for (const [cc, all] of byContactCenter) {
        await addEvents(
          transaction,
          cc,
          all.map(({ event }) => event),
        );
      }
    });
    waiting = waiting.slice(batch.length);
  }

  const hasRoom = () => waiting.length + expected < MOST_WAITING;

  function needRoom(): void {
    if (hasRoom()) return;
    throw new Failure('unavailable', 'the audit cannot be kept; is the disk full?', { retryAfter: 30 });
  }

  /** Resolves once all that is expected was told, or has had its time. */
  function allTold(): Promise<void> {
    if (expected === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const late = setTimeout(resolve, PATIENCE);
      onAllTold = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  function add({ id: cc }: ContactCenter, event: AuditEvent): void {
    if (isClosed) return;
    waiting.push({ cc, event });
    schedule(WAIT);
  }

  return {
    record(contactCenter, event) {
      needRoom();
      add(contactCenter, event);
    },

    expect(contactCenter, begun) {
      needRoom();
      expected += 1;
      let isTold = false;
      const late = setTimeout(() => {
        // Its end has room of its own.
        if (hasRoom()) add(contactCenter, begun);
      }, BEGUN).unref();
      return (event) => {
        if (isTold) return;
        isTold = true;
        clearTimeout(late);
        expected -= 1;
        add(contactCenter, event);
        if (expected === 0) onAllTold();
      };
    },

    flush: writeSoon,

    async page(contactCenter: ContactCenter, after, limit) {
      return (await engine.read(list, { cc: contactCenter.id, after, limit })).map(readEvent);
    },

    async close() {
      await allTold();
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      try {
        await writeSoon();
      } finally {
        await writer.close();
      }
    },
  };
}
