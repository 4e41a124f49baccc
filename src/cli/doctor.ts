import type { Command } from 'commander';
import { SETTINGS, SURROUNDINGS } from '../app.ts';
import type { MediaFlags } from '../config/media.ts';
import { isTimeZone } from '../directory/time-zone.ts';
import { Failure } from '../errors.ts';
import type { MediaPlaces } from '../recordings/media.ts';
import { type Finding, inspectSpace } from '../store/inspect.ts';
import type { Store } from '../store/open.ts';
import { type CommonOptions, withPlaces, withStore } from './context.ts';
import { print, wholeFlag } from './output.ts';
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

/** Each place for audio must take some in, and have room for more. */
async function checkPlaces(places: MediaPlaces): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, place] of [
    ['media', places.main],
    ['archive', places.archive],
  ] as const) {
    if (place === null) continue;
    try {
      await place.check();
      findings.push({ check: name, isGood: true, detail: 'ok' });
      const free = await place.freeBytes();
      if (free !== null) findings.push({ check: `${name} space`, ...inspectSpace(free) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      findings.push({ check: name, isGood: false, detail: error.message });
    }
  }
  return findings;
}

/** `doctor`. */
export function addDoctorCommand(program: Command, newCommand: NewCommand): void {
  newCommand(program, 'doctor', 'check settings, store, places for audio, disk space and clock')
    .option(
      '--workers <n>',
      'as serve is given: a database must have connections for them',
      wholeFlag('--workers', 1, 64),
      1,
    )
    .action(async (options: CommonOptions & MediaFlags & { readonly workers: number }) => {
      await withStore(options, async (store) => {
        const findings = [
          await checkSettings(store),
          ...(await store.inspect(SURROUNDINGS.now(), options.workers)),
          ...(await withPlaces(options, checkPlaces)),
        ];
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
    });
}
