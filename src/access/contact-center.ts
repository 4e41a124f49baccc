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
  /** Grows with each writing transaction in the contact center: what was counted at it still holds. */
  readonly revision: number;
}

/** A setting of a contact center, as a dialect declares it. */
export interface SettingDefinition {
  /** Starts with the dialect's name and a dot. */
  readonly key: string;
  readonly values: readonly string[];
  readonly default: string;
  readonly description: string;
}

/** The value of a setting in a contact center, or its default. */
export function settingOf(contactCenter: ContactCenter, definition: SettingDefinition): string {
  const value = contactCenter.settings[definition.key];
  return value !== undefined && definition.values.includes(value) ? value : definition.default;
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
