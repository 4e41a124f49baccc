import assert from 'node:assert/strict';
import { request as ask, type IncomingHttpHeaders } from 'node:http';
import { after, before, describe, mock, test } from 'node:test';
import { type GoldenCase, type Message, readCases } from './cases.ts';
import type { Move, World } from './world.ts';

/** Standard offsets are those of the clock's year, and windows of the rate limit end when it is moved. */
const NOW = Date.UTC(2026, 2, 4, 12);

/** What Node adds to any answer, and what is checked by its form. */
const NOT_COMPARED = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-request-id']);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function send(address: string, method: string, path: string, { headers, body }: Message): Promise<Answer> {
  // `Host: none` stands for a request without one.
  const { host, ...others } = headers;
  const sentHeaders = host === undefined || host === 'none' ? others : headers;
  const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const url = new URL(address);
    const sent = ask(
      // The path goes out as it is written: a URL object would mend it.
      {
        host: url.hostname,
        port: url.port,
        method,
        path,
        headers: { ...sentHeaders, ...length },
        setHost: host === undefined,
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * What an answer must be: its case, and the headers that go without saying. The body of a HEAD case is the
 * one that GET would have: its length is told (RFC 9110 section 9.3.2), the body itself is not sent.
 */
function expected({ request, answer }: GoldenCase): Answer {
  return {
    status: answer.status,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(answer.body)),
      ...answer.headers,
    },
    body: request.method === 'HEAD' ? '' : answer.body,
  };
}

/** A database for the world, in place of a file. */
interface Database {
  /** Gives its URL, or undefined where the world is made in a file. */
  start(): Promise<string | undefined>;
  stop(): Promise<void>;
  /** Where the cases are to be asked in another store than the one in which the world was made. */
  readonly move?: Move;
}

/** Asks every case, at a clock that stands still. Loaded before anything of ours: it keeps the clock's year. */
export function describeCases(title: string, skip: string | false = false, database?: Database): void {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: NOW });
  describe(title, { skip }, () => describeEach(database));
}

function describeEach(database: Database | undefined): void {
  let world: World;
  before(async () => {
    const databaseUrl = await database?.start();
    // Loaded once the clock stands still: what is kept of the clock at loading is then the still one.
    const { makeWorld } = await import('./world.ts');
    world = await makeWorld(databaseUrl, database?.move);
  });
  after(async () => {
    await world?.close();
    await database?.stop();
    mock.timers.reset();
  });

  const fillTokens = (text: string, contactCenter: string): string =>
    text.replaceAll(/\{\{token(?::([a-z-]+))?(?:@([a-z-]+))?\}\}/g, (_, kind?: string, of?: string) =>
      world.secret(of ?? contactCenter, kind ?? 'good'),
    );

  /** `{{link:3}}` is the link to recording 3; `{{link:3@base}}` the same behind another base. */
  const fillLinks = async (text: string, contactCenter: string, address: string): Promise<string> => {
    let filled = text;
    for (const [whole, number, base = address] of text.matchAll(/\{\{link:(\d+)(?:@([^}]+))?\}\}/g)) {
      filled = filled.replace(whole, await world.link(contactCenter, Number(number), base));
    }
    return filled;
  };

  const check = async (golden: GoldenCase, path: string): Promise<void> => {
    const { request, contactCenter } = golden;
    const message = {
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, fillTokens(value, contactCenter)]),
      ),
      body: fillTokens(request.body, contactCenter),
    };
    if (golden.isLimited) mock.timers.tick(2_000);
    const address = golden.isLimited ? world.limitedAddress : world.address;
    let answer: Answer | undefined;
    for (let time = 0; time < golden.times; time += 1) {
      answer = await send(address, request.method, fillTokens(path, contactCenter), message);
    }
    const headers = Object.entries(answer?.headers ?? {}).filter(
      // An answer has a tag once it was asked for before, be it by another case.
      ([name]) => !NOT_COMPARED.has(name) && (name !== 'etag' || name in golden.answer.headers),
    );
    assert.deepEqual(
      { status: answer?.status, headers: Object.fromEntries(headers), body: answer?.body },
      expected({
        ...golden,
        answer: { ...golden.answer, body: await fillLinks(golden.answer.body, contactCenter, address) },
      }),
    );
    assert.match(String(answer?.headers['x-request-id']), UUID);
  };

  for (const golden of readCases()) {
    const { dialect, endpoint, name, source, request, at } = golden;
    test(`${dialect}: ${endpoint}: ${name} (${source})`, async () => {
      await check(golden, request.path);
      if (at === 'both') await check(golden, `/${dialect}${request.path}`);
    });
  }

  test('no two cases have the same name', () => {
    const names = readCases().map(({ dialect, endpoint, name }) => `${dialect} ${endpoint} ${name}`);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    );
  });
}
