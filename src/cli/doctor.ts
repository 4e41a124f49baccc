import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { SETTINGS, SURROUNDINGS } from '../app.ts';
import { isTimeZone } from '../directory/time-zone.ts';
import { Failure } from '../errors.ts';
import type { Finding } from '../store/inspect.ts';
import { type Store, storePath } from '../store/open.ts';
import { type CommonOptions, withStore } from './context.ts';
import { print } from './output.ts';
import type { NewCommand } from './program.ts';

/** Every setting of every contact center must be one that this version knows. */
async function checkSettings({ access }: Store): Promise<Finding> {
  const known = new Map(SETTINGS.map((each) => [each.key, each]));
  const bad: string[] = [];
  for (const contactCenter of await access.contactCenters()) {
    if (!isTimeZone(contactCenter.timezone)) bad.push(`${contactCenter.name} timezone`);
    for (const [key, value] of Object.entries(contactCenter.settings)) {
      if (known.get(key)?.read(value) === undefined) bad.push(`${contactCenter.name} ${key}`);
    }
  }
  return {
    check: 'settings',
    isGood: bad.length === 0,
    detail:
      bad.length === 0 ? 'ok' : `not understood: ${bad.join(', ')}; set them anew with contact-center set`,
  };
}

/** `doctor`. */
export function addDoctorCommand(program: Command, newCommand: NewCommand): void {
  newCommand(program, 'doctor', 'check settings, store, disk space and clock').action(
    async (options: CommonOptions) => {
      if (!existsSync(storePath(options.data))) {
        throw new Failure(
          'not_found',
          `there is no store in ${options.data}; start one with: rollcall serve`,
        );
      }
      await withStore(options, async (store) => {
        const findings = [await checkSettings(store), ...(await store.inspect(SURROUNDINGS.now()))];
        const isWell = findings.every((finding) => finding.isGood);
        print(
          options.json === true,
          {
            ok: isWell,
            findings: findings.map(({ check, isGood, detail }) => ({ check, ok: isGood, detail })),
          },
          [
            ...findings.map(
              ({ check, isGood, detail }) => `${isGood ? 'ok  ' : 'BAD '}  ${check.padEnd(22)}${detail}`,
            ),
            isWell ? 'all is well' : 'something is wrong, see BAD above',
          ],
        );
        if (!isWell) process.exitCode = 1;
      });
    },
  );
}
