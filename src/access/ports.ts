import type { AuditEvent } from './audit.ts';
import type { ContactCenter } from './contact-center.ts';
import type { Token } from './token.ts';

/** Where contact centers and tokens are kept. */
export interface AccessStore {
  /** @throws Failure conflict when the name is taken. */
  createContactCenter(name: string, timezone: string, now: number): Promise<ContactCenter>;
  contactCenters(): Promise<ContactCenter[]>;
  findContactCenter(name: string): Promise<ContactCenter | null>;
  findContactCenterById(id: number): Promise<ContactCenter | null>;
  /**
   * Sets one setting, or with the key `timezone` the zone.
   * @param event told of the value that was set before; null where none was
   */
  setSetting(
    contactCenter: ContactCenter,
    key: string,
    value: string,
    event?: (old: string | null) => AuditEvent,
  ): Promise<void>;
  addToken(token: Token, hash: string): Promise<void>;
  /** Newest last. */
  tokens(contactCenter: ContactCenter): Promise<Token[]>;
  /** False when there is no such token or it was revoked before. */
  revokeToken(id: string, now: number): Promise<boolean>;
  /** Drops tokens of a contact center that expired before `now`. */
  dropExpiredTokens(contactCenter: ContactCenter, now: number): Promise<void>;
  /** The token with this hash and its contact center, whatever its state. */
  findToken(hash: string): Promise<{ token: Token; contactCenter: ContactCenter } | null>;
}

/** Where audit events are kept. */
export interface AuditStore {
  /** Kept with those that come at the same moment, in one write soon after; `flush` waits for it. */
  record(contactCenter: ContactCenter, event: AuditEvent): void;
  /**
   * Makes room for the event of something that begins now and is told when it is over, by calling what is given;
   * the first call counts. What is still under way after a second is told as `begun` then, so that it is known of
   * even where this process never comes to tell its end.
   * @throws Failure unavailable where events cannot be kept: then it should not begin
   */
  expect(contactCenter: ContactCenter, begun: AuditEvent): (event: AuditEvent) => void;
  flush(): Promise<void>;
  /** Events in the order in which they were kept, `after` a number on. */
  page(contactCenter: ContactCenter, after: number, limit: number): Promise<KeptAuditEvent[]>;
}

/** An event and its number in the contact center, which grows. */
export interface KeptAuditEvent extends AuditEvent {
  readonly number: number;
}

/** A figure that a store's engine tells of itself. */
export interface FigureDefinition {
  /** As metrics are named, without what they all begin with: "postgres_pool_idle". */
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly labels: readonly string[];
  /** Of this process alone, or the same whichever process tells it. */
  readonly of: 'process' | 'store';
}

export interface FigureValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a store's engine tells of itself to whoever watches it. */
export interface EngineFigures {
  readonly definitions: readonly FigureDefinition[];
  /** What this process knows. */
  here(): ReadonlyMap<string, readonly FigureValue[]>;
  /** What the store has to be asked for. @throws Failure unavailable */
  asked(): Promise<ReadonlyMap<string, readonly FigureValue[]>>;
}
