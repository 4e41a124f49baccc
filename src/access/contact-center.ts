import { Failure } from '../errors.ts';

/** A tenant. Every user, token and request belongs to exactly one. */
export interface ContactCenter {
  readonly id: number;
  /** Slug: lower-case letters, digits and dashes. */
  readonly name: string;
  /** IANA name; times on a wire that shows no zone are in it. */
  readonly timezone: string;
  /** Settings that were set, by key ("convoso.profile"). What is not here has its default. */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * Which history its revisions and its users' versions are counted in. After a restore or a failover they may go
   * back, and be given to something else: then it is another history, and none comes twice.
   */
  readonly history: string;
  /** Grows with each writing transaction in the contact center: what was counted at it still holds. */
  readonly revision: number;
  /** Grows with each writing transaction that changes its recordings. */
  readonly recordingsRevision: number;
}

/** What a contact center's things are kept by that hold whatever is written to it: within one history. */
export function historyOf({ id, history }: ContactCenter): string {
  return `${id} ${history}`;
}

/** What a contact center's things are kept by that hold until it is written. */
export function stateOf(contactCenter: ContactCenter): string {
  return `${historyOf(contactCenter)} ${contactCenter.revision}`;
}

/** What things of its recordings are kept by that hold until one of them is written. */
export function recordingsStateOf(contactCenter: ContactCenter): string {
  return `${historyOf(contactCenter)} ${contactCenter.recordingsRevision}`;
}

/** A setting of a contact center, as a dialect or the recordings declare it. */
export interface SettingDefinition<Value = unknown> {
  /** Starts with the name of who declares it and a dot. */
  readonly key: string;
  /** What may be written: "off | 1..36500". */
  readonly form: string;
  /** As it would be written. */
  readonly default: string;
  readonly description: string;
  /** What a text stands for; undefined where it stands for nothing. */
  readonly read: (text: string) => Value | undefined;
}

/** The value of a setting in a contact center, or its default. */
export function settingOf<Value>(contactCenter: ContactCenter, definition: SettingDefinition<Value>): Value {
  const text = contactCenter.settings[definition.key];
  const value = text === undefined ? undefined : definition.read(text);
  return value ?? readDefault(definition);
}

function readDefault<Value>(definition: SettingDefinition<Value>): Value {
  const value = definition.read(definition.default);
  if (value === undefined) throw new Error(`the default of ${definition.key} is none of its values`);
  return value;
}

type Told = Pick<SettingDefinition, 'key' | 'description'>;

/** A setting that is one of some words. */
export function wordSetting<Word extends string>(
  told: Told & { readonly words: readonly Word[]; readonly default: Word },
): SettingDefinition<Word> {
  return {
    key: told.key,
    form: told.words.join(' | '),
    default: told.default,
    description: told.description,
    read: (text) => told.words.find((word) => word === text),
  };
}

/** A setting that is a whole number within bounds, written without sign or leading zeros. */
export function numberSetting(
  told: Told & { readonly least: number; readonly most: number; readonly default: number },
): SettingDefinition<number> {
  const { least, most } = told;
  return {
    key: told.key,
    form: `${least}..${most}`,
    default: String(told.default),
    description: told.description,
    read: (text) => {
      const number = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

/** A setting that is a whole number within bounds, or "off", which is its default. */
export function numberOrOffSetting(
  told: Told & { readonly least: number; readonly most: number },
): SettingDefinition<number | 'off'> {
  const number = numberSetting({ ...told, default: told.least });
  return {
    ...number,
    form: `off | ${number.form}`,
    default: 'off',
    read: (text) => (text === 'off' ? 'off' : number.read(text)),
  };
}

/** Checks a new contact center's name. @throws Failure invalid */
export function checkName(name: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    throw new Failure(
      'invalid',
      'a contact center is named with 1 to 63 lower-case letters, digits and dashes, such as "north-sales"',
    );
  }
  return name;
}
