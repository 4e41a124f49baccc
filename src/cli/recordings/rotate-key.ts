import type { Command } from 'commander';
import { SURROUNDINGS } from '../../app.ts';
import { type CommonOptions, needContactCenter, withStore } from '../context.ts';
import { print } from '../output.ts';
import type { NewCommand } from '../program.ts';

interface RotateFlags extends CommonOptions {
  readonly contactCenter: string;
  readonly endLinks?: boolean;
}

/** `recordings rotate-key`. */
export function addRotateKeyCommand(parent: Command, newCommand: NewCommand): void {
  newCommand(parent, 'rotate-key', 'sign links with a new key from now on')
    .requiredOption('--contact-center <name>', 'whose; needed')
    .option('--end-links', 'also end every link that was given out, at once')
    .action((flags: RotateFlags) =>
      withStore(flags, async ({ access, signingKeys }) => {
        const contactCenter = await needContactCenter(access, flags.contactCenter);
        const endLinks = flags.endLinks === true;
        const now = SURROUNDINGS.now();
        const { key, retired } = await signingKeys.rotate(
          contactCenter,
          now,
          { endLinks },
          {
            at: now,
            actor: { kind: 'cli' },
            action: 'key.rotated',
            subject: null,
            outcome: 'done',
            details: { endLinks },
          },
        );
        const { name } = contactCenter;
        print(flags.json === true, { contactCenter: name, key: key.id, retired }, [
          `${name}: links are signed with key ${key.id} from now on`,
          endLinks ? 'links that were given out have ended' : 'links that were given out hold until they end',
        ]);
      }),
    );
}
