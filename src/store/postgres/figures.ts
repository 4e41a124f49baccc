import type { EngineFigures, FigureValue } from '../../access/ports.ts';
import type { Reader, Statement } from '../engine.ts';
import { isLost, isPoolTimeout, isStatementTimeout } from './failures.ts';

/** Which connections are meant. */
export type PoolName = 'read' | 'write';

/** What a pool has now; `max` is how many connections it may have. */
export interface PoolState {
  readonly max: number;
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** What went wrong since the process began. */
export class PostgresCounts {
  readonly poolTimeouts = { read: 0, write: 0 };
  readonly retries = { read: 0, write: 0 };
  statementTimeouts = 0;
  lost = 0;

  connectFailed(pool: PoolName, error: unknown): void {
    if (isPoolTimeout(error)) this.poolTimeouts[pool] += 1;
    else if (isLost(error)) this.lost += 1;
  }

  queryFailed(error: unknown): void {
    if (isStatementTimeout(error)) this.statementTimeouts += 1;
    else if (isLost(error)) this.lost += 1;
  }
}

const POOLS = ['read', 'write'] as const;

const SERVER: Statement = {
  name: 'figures.server',
  // What kind of connection another user's is is hidden from most, as the lag of standbys is; how many there are is not.
  // The lag of standbys is told to those alone who may see it: superusers and members of pg_monitor.
  sql: `select current_setting('server_version'), current_setting('max_connections'),
    (select sum(numbackends) from pg_stat_database),
    (select max(extract(epoch from replay_lag)) from pg_stat_replication),
    case when pg_is_in_recovery() then null
      else (select max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) from pg_stat_replication) end`,
  parameters: [],
};

const gauge = { kind: 'gauge', of: 'process', labels: ['pool'] } as const;
const counter = { kind: 'counter', of: 'process', labels: [] } as const;
const server = { kind: 'gauge', of: 'store', labels: [] } as const;

/** Figures of the pools, which cost nothing, and of the server, for one statement. */
export function createPostgresFigures(
  reader: Reader,
  counts: PostgresCounts,
  poolState: (pool: PoolName) => PoolState,
): EngineFigures {
  const ofPools = (tell: (pool: PoolName) => number): FigureValue[] =>
    POOLS.map((pool) => ({ labels: { pool }, value: tell(pool) }));
  return {
    definitions: [
      { ...server, name: 'store_info', labels: ['engine', 'version'], help: 'The engine of the store' },
      { ...gauge, name: 'postgres_pool_max', help: 'Connections that a pool may have' },
      { ...gauge, name: 'postgres_pool_connections', help: 'Connections that a pool has' },
      { ...gauge, name: 'postgres_pool_idle', help: 'Connections of a pool that nobody uses' },
      { ...gauge, name: 'postgres_pool_waiting', help: 'Works that wait for a connection' },
      {
        ...counter,
        name: 'postgres_pool_timeouts_total',
        labels: ['pool'],
        help: 'Works that were given no connection in time',
      },
      {
        ...counter,
        name: 'postgres_retries_total',
        labels: ['pool'],
        help: 'Reads and transactions that were tried again',
      },
      {
        ...counter,
        name: 'postgres_statement_timeouts_total',
        help: 'Statements that took longer than they may',
      },
      {
        ...counter,
        name: 'postgres_lost_statements_total',
        help: 'Statements whose connection was lost, or was never made',
      },
      { ...server, name: 'postgres_max_connections', help: 'Connections that the server takes' },
      {
        ...server,
        name: 'postgres_connections',
        help: 'Connections to the server that are in use, by anybody',
      },
      {
        ...server,
        name: 'postgres_replication_lag_seconds',
        help: 'How far the last standby is behind, where this user may know it',
      },
      {
        ...server,
        name: 'postgres_replication_lag_bytes',
        help: 'How much log the last standby has not applied, where this user may know it',
      },
    ],
    here: () =>
      new Map([
        ['postgres_pool_max', ofPools((pool) => poolState(pool).max)],
        ['postgres_pool_connections', ofPools((pool) => poolState(pool).total)],
        ['postgres_pool_idle', ofPools((pool) => poolState(pool).idle)],
        ['postgres_pool_waiting', ofPools((pool) => poolState(pool).waiting)],
        ['postgres_pool_timeouts_total', ofPools((pool) => counts.poolTimeouts[pool])],
        ['postgres_retries_total', ofPools((pool) => counts.retries[pool])],
        ['postgres_statement_timeouts_total', [{ labels: {}, value: counts.statementTimeouts }]],
        ['postgres_lost_statements_total', [{ labels: {}, value: counts.lost }]],
      ]),
    async asked() {
      const [row = []] = await reader.read(SERVER, {});
      const [version, most, connections, seconds, bytes] = row;
      const told = (value: unknown): FigureValue[] =>
        value == null ? [] : [{ labels: {}, value: Number(value) }];
      return new Map([
        ['store_info', [{ labels: { engine: 'postgresql', version: String(version) }, value: 1 }]],
        ['postgres_max_connections', told(most)],
        ['postgres_connections', told(connections)],
        ['postgres_replication_lag_seconds', told(seconds)],
        ['postgres_replication_lag_bytes', told(bytes)],
      ]);
    },
  };
}
