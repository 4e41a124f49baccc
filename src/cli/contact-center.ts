import type { Command } from 'commander';
import { checkName, settingOf } from '../access/contact-center.ts';
import { SETTINGS, SURROUNDINGS } from '../app.ts';
import { findTimeZone } from '../directory/zone-names.ts';
import { type CommonOptions, needContactCenter, withMadeStore, withStore } from './context.ts';
import { asUsage, print, table, UsageError } from './output.ts';
import type { NewCommand } from './program.ts';

function readZone(text: string): string {
  const zone = findTimeZone(text);
  if (zone !== null) return zone;
  throw new UsageError('a time zone is an IANA name, such as Europe/Istanbul');
}

/** A setting's value as it is kept. */
function readSetting(key: string, value: string): string {
  if (key === 'timezone') return readZone(value);
  const setting = SETTINGS.find((each) => each.key === key);
  if (setting === undefined) {
    throw new UsageError(`settings are timezone, ${SETTINGS.map((each) => each.key).join(', ')}`);
  }
  if (setting.read(value) === undefined) throw new UsageError(`${key} takes ${setting.form}`);
  return value;
}

/** `contact-center create`, `list` and `set`. */
export function addContactCenterCommands(program: Command, newCommand: NewCommand): void {
  const parent = program.command('contact-center').description('make, list and set up contact centers');

  newCommand(parent, 'create', 'make a contact center')
    .argument('<name>', 'lower-case letters, digits and dashes')
    .option('--timezone <zone>', 'IANA time zone of times that name none', 'UTC')
    .action((name: string, options: CommonOptions & { timezone: string }) =>
      withMadeStore(options, async ({ access }) => {
        const checked = asUsage(() => checkName(name));
        const made = await access.createContactCenter(
          checked,
          readZone(options.timezone),
          SURROUNDINGS.now(),
        );
        print(options.json === true, { name: made.name, timezone: made.timezone }, [`made ${made.name}`]);
      }),
    );

  newCommand(parent, 'list', 'list contact centers with their settings').action((options: CommonOptions) =>
    withStore(options, async ({ access, pages }) => {
      const all = await access.contactCenters();
      const documents = [];
      for (const each of all) {
        documents.push({
          name: each.name,
          timezone: each.timezone,
          users: await pages.count(each),
          settings: Object.fromEntries(SETTINGS.map((setting) => [setting.key, settingOf(each, setting)])),
        });
      }
      const rows = documents.map((each) => [
        each.name,
        each.timezone,
        String(each.users),
        Object.entries(each.settings)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
      ]);
      print(options.json === true, documents, table(['NAME', 'TIME ZONE', 'USERS', 'SETTINGS'], rows));
    }),
  );

  newCommand(parent, 'set', 'change a setting of a contact center')
    .argument('<name>')
    .argument('<key>', ['timezone', ...SETTINGS.map((each) => each.key)].join(', '))
    .argument('<value>')
    .addHelpText(
      'after',
      `\nSettings:\n${SETTINGS.map((each) => `  ${each.key}  ${each.form} (default ${each.default})\n      ${each.description}`).join('\n')}`,
    )
    .action((name: string, key: string, given: string, options: CommonOptions) =>
      withStore(options, async ({ access }) => {
        const value = readSetting(key, given);
        const contactCenter = await needContactCenter(access, name);
        await access.setSetting(contactCenter, key, value, (old) => ({
          at: SURROUNDINGS.now(),
          actor: { kind: 'cli' },
          action: 'setting.changed',
          subject: key,
          outcome: 'done',
          details: { old: old ?? SETTINGS.find((each) => each.key === key)?.default ?? null, new: value },
        }));
        print(options.json === true, { name, key, value }, [`${name}: ${key} is ${value}`]);
      }),
    );
}
