import { type Command, Option } from 'commander';
import { defaultReplicaUrl } from '../config/serve.ts';
import { describeReplica, type ReplicaPlace } from '../store/open.ts';
import { asUsage, UsageError, wholeFlag } from './output.ts';

/** The flags that name a standby. */
export interface ReplicaFlags {
  readonly databaseUrl?: string;
  readonly replicaUrl?: string;
  /** Seconds. */
  readonly replicaMaxLag: number;
}

/** Adds the flags that name a standby. */
export function addReplicaOptions(
  command: Command,
  env: Readonly<Record<string, string | undefined>>,
): Command {
  return command
    .addOption(
      new Option(
        '--replica-url <url>',
        'a standby of the database, for searches and exports (or ROLLCALL_REPLICA_URL)',
      ).default(defaultReplicaUrl(env), 'that of the environment'),
    )
    .option(
      '--replica-max-lag <seconds>',
      'how far behind it may be; further, and the database itself answers',
      wholeFlag('--replica-max-lag', 1, 3600),
      5,
    );
}

/** The standby that the flags name. @throws UsageError */
export function readReplica({
  databaseUrl,
  replicaUrl,
  replicaMaxLag,
}: ReplicaFlags): ReplicaPlace | undefined {
  if (replicaUrl === undefined) return undefined;
  if (databaseUrl === undefined) {
    throw new UsageError('--replica-url names a standby of the database; give --database-url as well');
  }
  asUsage(() => describeReplica(replicaUrl));
  return { url: replicaUrl, maxLag: 1000 * replicaMaxLag };
}
