import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/** What a request is counted and logged under; null where it reached no route, or nobody was let in. */
export interface RequestKind {
  readonly operation: string;
  /** The route's template: never what was asked for. */
  readonly route: string | null;
  readonly dialect: string | null;
}

/** Who was let in. */
export interface Asker {
  readonly contactCenter: string;
  readonly tokenId: string | null;
}

export interface AnsweredRequest extends RequestKind {
  readonly asker: Asker | null;
  readonly status: number;
  readonly milliseconds: number;
  /** Of the answer's body, as sent. */
  readonly bytes: number;
  readonly requestId: string;
  /** Whether the client went away, or the answer failed, before all of it was out. */
  readonly isBrokenOff: boolean;
}

/** Counts and logs a request that is over: one line, with nothing of what it carried. */
export type RecordRequest = (request: AnsweredRequest) => void;

export function createRecordRequest(log: Logger, metrics: Metrics): RecordRequest {
  return ({ operation, route, dialect, asker, status, milliseconds, bytes, requestId, isBrokenOff }) => {
    metrics.observeRequest(operation, status, milliseconds / 1000);
    const line = {
      operation,
      route,
      dialect,
      contactCenter: asker?.contactCenter ?? null,
      tokenId: asker?.tokenId ?? null,
      status,
      ms: Math.round(milliseconds * 1000) / 1000,
      bytes,
      requestId,
    };
    log.info(isBrokenOff ? { ...line, brokenOff: true } : line);
  };
}
