import { NATIVE_FIELDS } from '../native.ts';
import { plain, type RowShape } from './csv.ts';
import { isTooDeep } from './json-scanner.ts';

/** Columns whose cells are lists, joined by semicolons or commas. */
const LISTS: ReadonlySet<string> = new Set([
  'extensions',
  'callbackTypes',
  'queues',
  'teams',
  'supervisedTeams',
]);
/** Columns whose cells are JSON. */
const STRUCTURES: ReadonlySet<string> = new Set(['skills', 'channels', 'agent', 'extra', 'dialectNumbers']);

const FIELD_OF = new Map(NATIVE_FIELDS.map((field) => [plain(field), field]));

/** Users, a row becoming what a native JSON row would be. */
export const USER_ROWS: RowShape = {
  of: 'a user',
  example: 'email,firstName,lastName',

  fieldOf(name) {
    if (plain(name).startsWith('dialectnumbers.'))
      return `dialectNumbers.${name.slice(name.indexOf('.') + 1)}`;
    return FIELD_OF.get(plain(name));
  },

  readCell(field, text) {
    if (LISTS.has(field) && !text.startsWith('[')) {
      const parts = text.split(/[;,]/).map((part) => part.trim());
      const isNamed = field === 'teams' || field === 'supervisedTeams';
      return parts
        .filter((part) => part !== '')
        .map((part) => (isNamed && /^\d+$/.test(part) ? { number: Number(part) } : part));
    }
    if (LISTS.has(field) || STRUCTURES.has(field)) {
      if (isTooDeep(text)) return text;
      try {
        return JSON.parse(text);
      } catch {
        // The field's own check says what it must be.
        return text;
      }
    }
    return text;
  },
};
