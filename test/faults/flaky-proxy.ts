import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What is done to connections from now on. */
export type Fault =
  | 'none'
  /** Connections are taken, and nothing is ever said on them. */
  | 'hangs'
  /** Each request gets 503 as S3 says it. */
  | 'busy'
  /** Only the next request gets it. */
  | 'busy once'
  /** A connection ends after so many bytes of a request, or of an answer. */
  | { readonly cutsRequestsAt: number }
  | { readonly cutsAnswersAt: number }
  /** Answers stop coming after so many bytes, or where their head ends. */
  | { readonly stallsAnswersAt: number | 'body' }
  /** A byte of each request's body is another one. */
  | 'damages'
  /** It says of the bucket that old versions are kept. */
  | 'keeps versions';

const BUSY_BODY =
  '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>';
const BUSY = [
  'HTTP/1.1 503 Slow Down',
  'Content-Type: application/xml',
  `Content-Length: ${BUSY_BODY.length}`,
  'Connection: close',
  '',
  BUSY_BODY,
].join('\r\n');

const VERSIONS_BODY =
  '<?xml version="1.0"?><VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
const VERSIONS = [
  'HTTP/1.1 200 OK',
  'Content-Type: application/xml',
  `Content-Length: ${VERSIONS_BODY.length}`,
  'Connection: close',
  '',
  VERSIONS_BODY,
].join('\r\n');

/** A proxy in front of a server, which stands for a bad network or a server in trouble. */
export class FlakyProxy {
  fault: Fault = 'none';
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isCut = false;

  private constructor(to: URL) {
    this.#server = createServer((client) => this.#serve(client, to));
  }

  static async start(to: string): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(new URL(to));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens on a port');
    return `http://127.0.0.1:${address.port}`;
  }

  #serve(client: Socket, to: URL): void {
    this.#keep(client);
    if (this.fault === 'hangs' || this.#isCut) return;
    if (this.fault === 'busy' || this.fault === 'busy once') {
      if (this.fault === 'busy once') this.fault = 'none';
      client.once('data', () => client.end(BUSY));
      return;
    }
    const server = connect(Number(to.port), to.hostname);
    this.#keep(server);
    const [fault, sent] = [this.fault, { requests: 0, answers: 0 }];
    client.on('data', (chunk) => {
      sent.requests += chunk.length;
      if (fault === 'keeps versions' && /^GET \S+\?versioning/.test(chunk.toString('latin1'))) {
        client.end(VERSIONS);
        return;
      }
      if (typeof fault === 'object' && 'cutsRequestsAt' in fault && sent.requests >= fault.cutsRequestsAt) {
        client.resetAndDestroy();
        return;
      }
      server.write(fault === 'damages' ? damage(chunk) : chunk);
    });
    server.on('data', (chunk) => {
      const before = sent.answers;
      sent.answers += chunk.length;
      if (typeof fault === 'object' && 'cutsAnswersAt' in fault && sent.answers >= fault.cutsAnswersAt) {
        client.write(chunk.subarray(0, fault.cutsAnswersAt - before), () => client.resetAndDestroy());
        return;
      }
      if (typeof fault === 'object' && 'stallsAnswersAt' in fault) {
        const { stallsAnswersAt: at } = fault;
        const end = at === 'body' ? (before > 0 ? 0 : chunk.indexOf('\r\n\r\n') + 4) : at;
        client.write(chunk.subarray(0, Math.max(0, end - before)));
        return;
      }
      if (!client.write(chunk)) {
        server.pause();
        client.once('drain', () => server.resume());
      }
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.end());
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  /** Connections of clients and to the server, used or not. */
  get connections(): number {
    return this.#open.size;
  }

  /** Cuts the network, or mends it: nothing is told of either, and what was said meanwhile comes later. */
  cut(isCut: boolean): void {
    this.#isCut = isCut;
    for (const socket of this.#open) {
      if (isCut) socket.pause();
      else socket.resume();
    }
  }

  /** Ends what is open, so that the next request meets the fault that is set now. */
  hangUp(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async stop(): Promise<void> {
    this.hangUp();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Changes the last byte of what is no head of a request. */
function damage(chunk: Buffer): Buffer {
  const end = chunk.lastIndexOf('\r\n\r\n');
  if (end + 4 === chunk.length || chunk.length === 0) return chunk;
  const damaged = Buffer.from(chunk);
  damaged[chunk.length - 1] = (damaged[chunk.length - 1] ?? 0) ^ 1;
  return damaged;
}
