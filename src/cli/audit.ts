import type { Command } from 'commander';
import type { KeptAuditEvent } from '../access/ports.ts';
import { type CommonOptions, needContactCenter, withStore } from './context.ts';
import { UsageError, untilDrained } from './output.ts';
import type { NewCommand } from './program.ts';

/** Events that are read at once. */
const PAGE = 1000;

function encodeEvent({ number, at, actor, action, subject, outcome, details }: KeptAuditEvent): string {
  const who = 'tokenId' in actor ? { actor: actor.kind, tokenId: actor.tokenId } : { actor: actor.kind };
  const time = new Date(at).toISOString();
  return `${JSON.stringify({ number, at: time, ...who, action, subject, outcome, details })}\n`;
}

async function runExport(flags: CommonOptions & { contactCenter: string }): Promise<void> {
  if (flags.json === true) throw new UsageError('audit export gives JSON lines; leave --json out');
  await withStore(flags, async ({ access, audit }) => {
    const contactCenter = await needContactCenter(access, flags.contactCenter);
    for (let after = 0; ; ) {
      const events = await audit.page(contactCenter, after, PAGE);
      const last = events.at(-1);
      if (last === undefined) return;
      const isFull = !process.stdout.write(events.map(encodeEvent).join(''));
      if (isFull) await untilDrained(process.stdout);
      after = last.number;
    }
  });
}

/** `audit export`. */
export function addAuditCommands(program: Command, newCommand: NewCommand): void {
  const parent = program
    .command('audit')
    .description('what was done with recordings and settings, and by whom');
  newCommand(parent, 'export', 'give all audit events out as JSON lines, the oldest first')
    .requiredOption('--contact-center <name>', 'whose; needed')
    .action(runExport);
}
