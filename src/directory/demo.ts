import { createHash } from 'node:crypto';
import type { SourceRow } from './import.ts';
import { CONNECTION_TYPES, type JsonObject, QUEUE_OVERRIDES } from './user.ts';

/** Generated people: the same N gives the same people, and a person is the same in every N. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const FIRST_NAMES = words(`
  Aisha Bram Chloe Diego Elif Farid Grace Hana Igor Jana Kwame Lucía Mateo Nadia Omar Priya Quinn Ravi
  Sofia Tomás Uma Viktor Wanda Ximena Yuki Zeynep Anders Beatriz Chinedu Dilara Émile Fatima Giulia
  Håkon Ines Jakub Katarzyna
`);
/** One hundred, so that each is the last name of one person in a hundred. */
const LAST_NAMES = words(`
  Abara Adler Aksoy Almeida Andersen Arslan Baker Banerjee Barros Bauer Becker Bianchi Borges Brandt
  Campos Carter Castillo Çelik Chen Costa Dahl Das Demir Diaz Dubois Duarte Eriksen Esposito Fischer
  Flores Foster Fujita Garcia Gomes Gupta Haddad Hansen Hayashi Herrera Hoffmann Horvat Ibrahim Ivanov
  Jansen Jensen Joshi Kaya Keller Khan Kim Kowalski Kumar Lambert Larsen Lefèvre Lopez Lund Mahmoud
  Marino Martin Mehta Mendes Meyer Mitchell Moreau Müller Nakamura Nair Novak Nguyen Okafor Olsen
  Ortiz Öztürk Park Patel Pereira Petrov Popescu Ramos Rao Reyes Ricci Rojas Rossi Sahin Sato Schmidt
  Shah Silva Singh Sousa Suzuki Tanaka Torres Vargas Wagner Weber Yıldız Zhang
`);
const ZONES = [
  'America/Los_Angeles',
  'America/Denver',
  'America/Chicago',
  'America/New_York',
  'America/Sao_Paulo',
  'Europe/London',
  'Europe/Lisbon',
  'Europe/Berlin',
  'Europe/Istanbul',
  'Asia/Dubai',
  'Asia/Kolkata',
  'Asia/Tokyo',
] as const;
const TEAMS = ['Sales', 'Support', 'Billing', 'Night', 'Retention', 'Onboarding'] as const;
const SKILLS = ['Billing', 'Claims', 'Spanish', 'Portuguese', 'Technical', 'Chat'] as const;
const QUEUES = ['Front desk', 'Back office', 'Priority', 'Callbacks'] as const;
const GROUPS = ['US West', 'US East', 'Europe', 'India'] as const;
const LEVELS = [
  'agent',
  'agent',
  'agent',
  'agent',
  'agent',
  'agent',
  'agent',
  'supervisor',
  'manager',
  'admin',
] as const;
const ROLES = { agent: 'Agent', supervisor: 'Supervisor', manager: 'Manager', admin: 'Admin' } as const;

const FIRST_DAY = Date.UTC(2021, 0, 4);
const DAY = 86_400_000;
/** One person in this many may not log in to the web: the rare answer of a flag. */
const RARE = 20_000;

/** Repeatable choices for one person: numbers spread by a multiplicative hash of the person and the question. */
function chooser(person: number): (question: number, of: number) => number {
  return (question, of) => {
    let hash = Math.imul(person ^ (question * 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) % of;
  };
}

function uuidV7(at: number, person: number): string {
  const hash = createHash('sha256').update(`rollcall demo ${person}`).digest('hex');
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}

const ascii = (text: string) =>
  text
    .normalize('NFD')
    .replace(/[^a-z]/gi, (letter) => ({ ı: 'i', ø: 'o' })[letter] ?? '')
    .toLowerCase();

/** Person `number` of the demonstration, as a native row. */
export function demoPerson(number: number): JsonObject {
  const choose = chooser(number);
  const pick = <T>(question: number, list: readonly T[]): T => list[choose(question, list.length)] as T;
  const firstName = pick(1, FIRST_NAMES);
  const lastName = LAST_NAMES[(number - 1) % LAST_NAMES.length] as string;
  const level =
    number <= 4 ? (['admin', 'manager', 'supervisor', 'agent'] as const)[number - 1] : pick(2, LEVELS);
  const createdAt = FIRST_DAY + choose(3, 1700) * DAY + choose(4, DAY / 1000) * 1000;
  const login = `${ascii(firstName)}.${ascii(lastName)}${number}`;
  const phone = String(5_550_000_000 + number);
  const isSuspended = choose(5, 40) === 0;
  const hasExtension = choose(6, 10) !== 0;
  return {
    id: uuidV7(createdAt, number),
    number,
    email: `${login}@demo.example`,
    firstName,
    lastName,
    displayName: choose(7, 12) === 0 ? `${firstName} ${lastName[0]}.` : null,
    status: isSuspended ? 'suspended' : choose(8, 8) === 0 ? 'inactive' : 'active',
    level: level ?? 'agent',
    role: { name: ROLES[level ?? 'agent'] },
    queueOverride: pick(9, QUEUE_OVERRIDES),
    allowQueueSelection: choose(10, 3) !== 0,
    allowCallbacks: choose(11, 4) !== 0,
    allowTransfers: choose(12, 5) !== 0,
    callbackTypes: [[], ['system'], ['personal'], ['system', 'personal']][choose(13, 4)] ?? [],
    defaultBlended: choose(14, 2) === 0,
    allowBlendedCampaign: choose(15, 3) !== 0,
    notifications: choose(16, 2) === 0,
    alterCustomerData: choose(17, 4) === 0,
    timezone: pick(18, ZONES),
    connectionType: pick(19, CONNECTION_TYPES),
    extensions: hasExtension
      ? [String(100_000 + number), ...(choose(20, 6) === 0 ? [String(20_000_000 + number)] : [])]
      : [],
    createdAt: new Date(createdAt).toISOString(),
    lastLoginAt:
      choose(21, 9) === 0 ? null : new Date(createdAt + choose(22, 90) * DAY + 3_600_000).toISOString(),
    sipAccount: hasExtension ? `${login}@sip.demo.example` : null,
    callerIdGroup: choose(23, 5) === 0 ? null : pick(24, GROUPS),
    teams: [...new Set([pick(25, TEAMS), pick(26, TEAMS)])],
    supervisedTeams: level === 'agent' ? [] : [pick(27, TEAMS)],
    skills: choose(28, 4) === 0 ? [] : [{ name: pick(29, SKILLS), value: 1 + choose(30, 10) }],
    channels: choose(31, 3) === 0 ? [{ type: 'WhatsApp', name: 'WhatsApp 1', value: `1${phone}` }] : [],
    queues: [pick(32, QUEUES)],
    employeeId: choose(33, 3) === 0 ? null : `E-${number}`,
    agent:
      choose(34, 6) === 0
        ? null
        : {
            id: `0506${String(number).padStart(9, '0')}`,
            name: `${firstName} ${lastName}`,
            status: pick(35, ['enabled', 'enabled', 'busy', 'offline', 'disabled', 'blocked'] as const),
            followMeNumber: `+1${phone}`,
          },
    loginBasedCalling: choose(36, 3) === 0,
    internationalCalling: choose(37, 6) === 0,
    webLogin: number % RARE !== 7,
  };
}

/** The first N people, as rows to load. */
export async function* demoRows(count: number): AsyncGenerator<SourceRow> {
  for (let number = 1; number <= count; number += 1) {
    yield { line: number, text: '', value: demoPerson(number) };
  }
}
