import type { Command } from 'commander';
import { parseDuration, parseScopes, READ_SCOPES, SCOPES, type Token } from '../access/token.ts';
import { createToken } from '../access/tokens.ts';
import { SURROUNDINGS, WIRES } from '../app.ts';
import { Failure } from '../errors.ts';
import { type CommonOptions, needContactCenter, withStore } from './context.ts';
import { asUsage, print, table, UsageError } from './output.ts';
import type { NewCommand } from './program.ts';

function parseDialects(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => WIRES.some((dialect) => dialect.name === name))) return names;
  throw new UsageError(`dialects are a comma list of ${WIRES.map((dialect) => dialect.name).join(', ')}`);
}

const isoOrNull = (at: number | null) => (at === null ? null : new Date(at).toISOString());

function describe(token: Token, contactCenter: string) {
  return {
    id: token.id,
    contactCenter,
    name: token.label,
    scopes: token.scopes,
    dialects: token.dialects,
    createdAt: isoOrNull(token.createdAt),
    expiresAt: isoOrNull(token.expiresAt),
    revokedAt: isoOrNull(token.revokedAt),
  };
}

function stateOf(token: Token, now: number): string {
  if (token.revokedAt !== null) return 'revoked';
  return token.expiresAt !== null && token.expiresAt <= now ? 'expired' : 'good';
}

/** `token create`, `list` and `revoke`. */
export function addTokenCommands(program: Command, newCommand: NewCommand): void {
  const parent = program.command('token').description('make, list and revoke API tokens');

  newCommand(parent, 'create', 'make a token and show it, this once')
    .requiredOption('--contact-center <name>', 'whose; needed')
    .requiredOption('--name <label>', 'what it is for')
    .option('--scopes <list>', `what it may do: ${SCOPES.join(', ')}`, READ_SCOPES.join(','))
    .option('--dialects <list>', `where it works: ${WIRES.map((each) => each.name).join(', ')} (default all)`)
    .option('--expires-in <time>', 'such as 90d, 12h or 30m (default never)')
    .action(
      (
        options: CommonOptions & {
          contactCenter: string;
          name: string;
          scopes: string;
          dialects?: string;
          expiresIn?: string;
        },
      ) =>
        withStore(options, async ({ access }) => {
          const { dialects, expiresIn } = options;
          if (options.name.trim() === '') throw new UsageError('--name says what the token is for');
          const scopes = asUsage(() => parseScopes(options.scopes));
          const wanted = {
            label: options.name,
            scopes,
            dialects: dialects === undefined ? null : parseDialects(dialects),
            expiresIn: expiresIn === undefined ? null : asUsage(() => parseDuration(expiresIn)),
          };
          const contactCenter = await needContactCenter(access, options.contactCenter);
          const { token, secret } = await createToken(access, SURROUNDINGS, { ...wanted, contactCenter });
          const { id, ...rest } = describe(token, contactCenter.name);
          print(options.json === true, { id, token: secret, ...rest }, [
            `id     ${id}`,
            `token  ${secret}`,
            'It is shown this once; the store keeps only its hash.',
          ]);
        }),
    );

  newCommand(parent, 'list', 'list tokens, without their secrets')
    .option('--contact-center <name>', 'only of this one')
    .action((options: CommonOptions & { contactCenter?: string }) =>
      withStore(options, async ({ access }) => {
        const contactCenters =
          options.contactCenter === undefined
            ? await access.contactCenters()
            : [await needContactCenter(access, options.contactCenter)];
        const documents = [];
        const rows = [];
        for (const contactCenter of contactCenters) {
          for (const token of await access.tokens(contactCenter)) {
            const state = stateOf(token, SURROUNDINGS.now());
            documents.push({ ...describe(token, contactCenter.name), state });
            rows.push([
              token.id,
              contactCenter.name,
              token.label,
              token.scopes.join(','),
              token.dialects?.join(',') ?? 'all',
              isoOrNull(token.expiresAt) ?? 'never',
              state,
            ]);
          }
        }
        const head = ['ID', 'CONTACT CENTER', 'NAME', 'SCOPES', 'DIALECTS', 'EXPIRES', 'STATE'];
        print(options.json === true, documents, table(head, rows));
      }),
    );

  newCommand(parent, 'revoke', 'end a token at once')
    .argument('<id>', 'as token list shows it')
    .action((id: string, options: CommonOptions) =>
      withStore(options, async ({ access }) => {
        if (!(await access.revokeToken(id, SURROUNDINGS.now()))) {
          throw new Failure(
            'not_found',
            'there is no live token with this id; rollcall token list shows them',
          );
        }
        print(options.json === true, { id, revoked: true }, [`revoked ${id}`]);
      }),
    );
}
