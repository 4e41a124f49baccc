import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { rollcall, type ServerProcess, serveJson, type Told } from '../acceptance/server-process.ts';
import { ask, emailOf, makeFolder, people, succeed } from './commands.ts';
import { checkStore } from './store-check.ts';

interface SmartfloPage {
  readonly has_more: boolean;
  readonly count: number;
  readonly data: readonly { readonly id: number; readonly name: string; readonly login_id: string }[];
}

interface VoisoUser {
  readonly id: number;
  readonly email: string;
  readonly extension: string;
  readonly assigned_teams: string;
}

interface OfficialAnswer {
  readonly data: { readonly total: string; readonly results: Readonly<Record<string, unknown>> };
}

const emails = (last: number) => Array.from({ length: last }, (_, at) => emailOf(at + 1)).sort();

describe('several who write at once', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  before(async () => {
    folder = await makeFolder('writers');
  });
  after(() => folder.drop());

  /** A store of its own with an empty contact center, and files of people in the same folder. */
  async function open(name: string, files: Readonly<Record<string, string>>) {
    const data = join(folder.path, name);
    await succeed('contact-center', 'create', 'north', '--data', data);
    const paths: string[] = [];
    for (const [file, text] of Object.entries(files)) {
      const path = join(folder.path, `${name}-${file}.jsonl`);
      await writeFile(path, text);
      paths.push(path);
    }
    const load = (path: string) =>
      rollcall('import', path, '--contact-center', 'north', '--data', data, '--json');
    return { data, paths, load };
  }

  it('imports of files that overlap both go well, and nobody is there twice', async () => {
    const { data, paths, load } = await open('overlap', { a: people(1, 4200), b: people(2001, 5000) });
    const ended = await Promise.all(paths.map(load));
    const counts = ended.map(({ code, stdout, stderr }) => {
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    });
    assert.equal(counts[0].made + counts[1].made, 5000);
    assert.equal(counts[0].unchanged + counts[1].unchanged, 2200);
    assert.deepEqual(checkStore(data), emails(5000));
  });

  it('a new store is made once where several start at once', async () => {
    const data = join(folder.path, 'new/within/new');
    const ended = await Promise.all(
      ['a', 'b', 'c'].map((name) => rollcall('contact-center', 'create', name, '--data', data)),
    );
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    const list = JSON.parse(await succeed('contact-center', 'list', '--data', data, '--json'));
    assert.deepEqual(
      list.map(({ name }: { name: string }) => name),
      ['a', 'b', 'c'],
    );
  });

  it('a server answers while people are loaded: whole users, in order, and no failure', async () => {
    const { data, paths, load } = await open('serving', { first: people(1, 500), all: people(1, 6000) });
    assert.equal((await load(paths[0] ?? '')).code, 0);
    const create = ['token', 'create', '--contact-center', 'north', '--name', 'reader', '--data', data];
    const { token } = JSON.parse(await succeed(...create, '--json'));
    const server: ServerProcess & { told: Told } = await serveJson('--data', data, '--no-rate-limit');
    let isOver = false;
    const loading = load(paths[1] ?? '').finally(() => {
      isOver = true;
    });
    try {
      const read = async <T>(path: string): Promise<T> => {
        const answer = await ask(server.told.address + path, { authorization: `Bearer ${token}` });
        assert.equal(answer.status, 200, path);
        return (await answer.json()) as T;
      };
      const asked = { pages: 0, lists: 0, found: 0 };
      const walkPages = async () => {
        while (!isOver) {
          let after = 0;
          for (let hasMore = true; hasMore && !isOver; asked.pages += 1) {
            const page: SmartfloPage = await read(`/v1/users?limit=200&last_seen_id=${after}`);
            for (const { id, name, login_id } of page.data) {
              assert.ok(id > after, 'a page is out of order');
              assert.ok(/^First\d+ Last\d+$/.test(name) && login_id.includes('@'));
              after = id;
            }
            assert.equal(page.count, page.data.length);
            hasMore = page.has_more;
          }
        }
      };
      const listAll = async () => {
        for (let most = 0; !isOver; asked.lists += 1) {
          const users = await read<VoisoUser[]>('/user_management/v1/users');
          assert.ok(users.length >= most, 'somebody is gone');
          most = users.length;
          for (const [at, { id, email, extension, assigned_teams }] of users.entries()) {
            assert.ok(at === 0 || id > (users[at - 1]?.id ?? 0), 'the list is out of order');
            const person = id - 500_000;
            assert.deepEqual([email, extension], [emailOf(person), String(10_000_000 + person)]);
            assert.match(assigned_teams, /^\d, \d$/);
          }
        }
      };
      const search = async () => {
        for (let person = 1; !isOver; person += 37, asked.found += 1) {
          const { data: found } = await read<OfficialAnswer>(
            `/v1/users/search?user=${emailOf(1 + (person % 6000))}`,
          );
          assert.equal(String(Object.keys(found.results).length), found.total);
        }
      };
      await Promise.all([walkPages(), listAll(), search()]);
      const { code, stdout, stderr } = await loading;
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).made, 5500);
      assert.ok(asked.pages > 0 && asked.lists > 0 && asked.found > 0, JSON.stringify(asked));
      assert.equal((await read<VoisoUser[]>('/user_management/v1/users')).length, 6000);
    } finally {
      await loading.catch(() => {});
      const { code, stderr } = await server.stop();
      assert.equal(code, 0);
      assert.ok(!stderr.includes('@'), 'the log shows an email');
      assert.doesNotMatch(stderr, /"status":5|bug/);
    }
    assert.deepEqual(checkStore(data), emails(6000));
  });
});
