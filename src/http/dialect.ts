import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import type { ContactCenter, SettingDefinition } from '../access/contact-center.ts';
import type { Scope } from '../access/token.ts';
import type { Access } from '../access/tokens.ts';
import type { UserFormat } from '../directory/format.ts';
import type { UserPages } from '../directory/ports.ts';
import type { DialectIndex } from '../directory/query.ts';
import type { DeleteRecording } from '../recordings/delete.ts';
import type { RecordingStore } from '../recordings/ports.ts';
import type { TakeIn } from '../recordings/take-in.ts';
import type { Answer, Answers } from './answers.ts';
import type { EncodedUsers } from './encoded-users.ts';
import type { LinkDeps } from './recording-links.ts';
import type { EncodeFailure } from './wire-failure.ts';

/** What the endpoints of a dialect work with. */
export interface DialectDeps extends LinkDeps {
  readonly users: UserPages;
  readonly encoded: EncodedUsers;
  readonly recordings: RecordingStore;
  readonly takeIn: TakeIn;
  /** The longest audio that an upload may have, in bytes. */
  readonly mostUpload: number;
  readonly deleteRecording: DeleteRecording;
  readonly answers: Answers;
}

export type Method = 'GET' | 'POST' | 'DELETE';

/** One documented endpoint: who may call it where, and how it answers. */
export interface Endpoint {
  /** For logs and metrics: "convoso.users.search". */
  readonly operation: string;
  readonly methods: readonly Method[];
  readonly paths: readonly string[];
  readonly scope: Scope;
  /** Whether its request's body is read by the endpoint as it comes, and may take its time. */
  readonly isUpload?: boolean;
  /**
   * Whether its answers depend on nothing but the request's target and token, the contact center's revision
   * and the current year.
   */
  readonly isRepeatable?: boolean;
  /** Describes parameters and answers in the OpenAPI document; nothing is checked or shaped by it. */
  readonly schema: (method: Method) => FastifySchema;
  /** The secret that a request carries, wherever this wire puts it. */
  readonly secretOf: (request: FastifyRequest) => string | undefined;
  /** Decodes, asks the service, encodes. Gives the answer, or what is sent as it is. */
  readonly answer: (
    request: FastifyRequest,
    reply: FastifyReply,
    access: Access,
  ) => Promise<Answer | Readable | FastifyReply>;
}

/** A request that shows a new user that an endpoint works. */
export interface Sample {
  readonly title: string;
  readonly method: 'GET' | 'POST';
  /** With its query; `TOKEN` stands for the token. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A file for an answer that is no text. */
  readonly output?: string;
}

/** Facts of a contact center that make samples find something. */
export interface SampleFacts {
  readonly contactCenter: ContactCenter;
  readonly email: string;
  readonly extension: string;
  /** A recording that can be played, and the path and query of its link; null where there is none. */
  readonly recording: {
    readonly email: string;
    readonly leadId: number | null;
    readonly link: string;
  } | null;
}

/** A wire format: everything that the server needs to know of it. */
export interface WireFormat {
  /** Also the prefix under which it is mounted: /name. */
  readonly name: string;
  readonly title: string;
  /** Whether its endpoints are mounted at the root as well. */
  readonly isAtRoot: boolean;
  readonly encodeFailure: EncodeFailure;
  endpoints(deps: DialectDeps): readonly Endpoint[];
  /** Content type parsers: what bodies its requests may have. */
  parsers(app: FastifyInstance): void;
  samples(facts: SampleFacts): readonly Sample[];
}

/** A vendor's wire format: everything that the rest of the program needs to know of it. */
export interface Dialect extends WireFormat {
  /** What the store keeps ready for it. */
  readonly index: DialectIndex;
  readonly settings: readonly SettingDefinition[];
  /** The forms in which its users are loaded and given out. */
  readonly formats: readonly UserFormat[];
}
