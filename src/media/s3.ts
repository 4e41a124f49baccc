import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Failure } from '../errors.ts';
import type { ByteRange, MediaKey, MediaPlace, StoredMedia } from '../recordings/media.ts';
import { Counted } from './counted.ts';
import { breakOffWhenIdle } from './idle.ts';
import { placeOf, readContactCenter, readName } from './paths.ts';
import { explainS3, isMissing, isPastEnd } from './s3-failures.ts';

/** Which bucket, and how it is reached. Keys come from the SDK's own chain: environment, files, instance. */
export interface S3Options {
  readonly bucket: string;
  /** What all names begin with: empty, or without a slash at its end. */
  readonly prefix: string;
  /** Null for AWS's own. */
  readonly endpoint: string | null;
  /** Null where the SDK's own chain names it. */
  readonly region: string | null;
  /** Whether the bucket stands in the path, not in the host's name. */
  readonly pathStyle: boolean;
}

/** Bounds on waiting, in milliseconds, and on trying. */
export interface S3Patience {
  readonly connect: number;
  /** How long nothing may move. */
  readonly idle: number;
  readonly attempts: number;
}

const USUAL: S3Patience = { connect: 3000, idle: 10_000, attempts: 3 };

/** Parts of an upload, in bytes: the least that S3 takes. Two of them wait in memory for each upload. */
const PART = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

/** Requests under way when many objects are let go. */
const REMOVED_AT_ONCE = 16;

/** A bucket of S3, or of anything that speaks its API. */
export class S3Place implements MediaPlace {
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #patience: S3Patience;
  /** Waits for headers only so long; what is read slowly is not given up. */
  readonly #reader: S3Client;
  /** Gives a request up when nothing moves any more, however large it is. */
  readonly #writer: S3Client;
  #isBucketSeen = false;

  /** Connects to nothing yet. */
  constructor(options: S3Options, patience: S3Patience = USUAL) {
    this.#bucket = options.bucket;
    this.#prefix = options.prefix === '' ? '' : `${options.prefix}/`;
    this.#patience = patience;
    const open = (bounds: { requestTimeout?: number; socketTimeout: number }) =>
      new S3Client({
        // Servers of one's own take any region, if they take one at all.
        ...(options.region !== null || options.endpoint !== null
          ? { region: options.region ?? 'us-east-1' }
          : {}),
        ...(options.endpoint === null ? {} : { endpoint: options.endpoint }),
        forcePathStyle: options.pathStyle,
        maxAttempts: patience.attempts,
        // Bodies are signed with their SHA-256, which is checked where they arrive. The SDK's newer checksums are not known everywhere.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        requestHandler: {
          connectionTimeout: patience.connect,
          throwOnRequestTimeout: true,
          ...bounds,
          httpAgent: { keepAlive: true, maxSockets: 1000 },
          httpsAgent: { keepAlive: true, maxSockets: 1000 },
        },
      });
    this.#reader = open({ requestTimeout: patience.idle, socketTimeout: 0 });
    this.#writer = open({ socketTimeout: patience.idle });
  }

  #nameOf(key: MediaKey): string {
    const { shelf, name } = placeOf(key);
    return `${this.#prefix}${shelf}/${name}`;
  }

  #at(key: MediaKey): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#nameOf(key) };
  }

  async put(key: MediaKey, content: Readable): Promise<{ bytes: number; sha256: string }> {
    const counted = new Counted(content);
    try {
      const upload = new Upload({
        client: this.#writer,
        params: { ...this.#at(key), Body: Readable.from(counted.chunks(), { objectMode: false }) },
        partSize: PART,
        queueSize: PARTS_AT_ONCE,
      });
      await this.#try(() => upload.done());
    } catch (error) {
      content.destroy();
      throw counted.hasBroken ? counted.error : error;
    }
    return { bytes: counted.bytes, sha256: counted.sha256() };
  }

  async open(key: MediaKey, range?: ByteRange): Promise<Readable | null> {
    const request = new GetObjectCommand({
      ...this.#at(key),
      ...(range === undefined ? {} : { Range: `bytes=${range.first}-${range.last}` }),
    });
    try {
      const found = await this.#find(() => this.#reader.send(request));
      if (found === null) return null;
      if (!(found.Body instanceof Readable)) throw new Error('the SDK gave no stream of Node');
      return breakOffWhenIdle(found.Body, this.#patience.idle);
    } catch (error) {
      if (error instanceof Failure && isPastEnd(error.cause)) return Readable.from([]);
      throw error;
    }
  }

  async find(key: MediaKey): Promise<StoredMedia | null> {
    const found = await this.#find(() => this.#reader.send(new HeadObjectCommand(this.#at(key))));
    if (found === null) return null;
    return { key, bytes: found.ContentLength ?? 0, modifiedAt: found.LastModified?.getTime() ?? 0 };
  }

  async remove(...keys: readonly MediaKey[]): Promise<void> {
    const names = keys.map((key) => this.#at(key));
    for (let at = 0; at < names.length; at += REMOVED_AT_ONCE) {
      const some = names.slice(at, at + REMOVED_AT_ONCE);
      // One by one: not all servers know how to remove many at once.
      const all = some.map((name) => this.#find(() => this.#reader.send(new DeleteObjectCommand(name))));
      await Promise.all(all);
    }
  }

  async *list(contactCenterId: number): AsyncIterable<StoredMedia> {
    const top = `${this.#prefix}${contactCenterId}/`;
    for await (const { Contents = [] } of this.#pages({ Prefix: top })) {
      for (const { Key = '', Size = 0, LastModified } of Contents) {
        const [shelf = '', name = '', ...more] = Key.slice(top.length).split('/');
        const key = more.length > 0 ? null : readName(contactCenterId, shelf, name);
        if (key !== null) yield { key, bytes: Size, modifiedAt: LastModified?.getTime() ?? 0 };
      }
    }
  }

  async *contactCenters(): AsyncIterable<number> {
    const request = { Prefix: this.#prefix, Delimiter: '/' };
    for await (const { CommonPrefixes = [] } of this.#pages(request)) {
      for (const { Prefix = '' } of CommonPrefixes) {
        const id = readContactCenter(Prefix.slice(this.#prefix.length, -1));
        if (id !== null) yield id;
      }
    }
  }

  async *#pages(what: { Prefix: string; Delimiter?: string }): AsyncIterable<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const request = new ListObjectsV2Command({
        Bucket: this.#bucket,
        ...what,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page: ListObjectsV2CommandOutput = await this.#try(() => this.#reader.send(request));
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async countUnfinished(before: number): Promise<number> {
    let counted = 0;
    for await (const _ of this.#unfinished(before)) counted += 1;
    return counted;
  }

  async dropUnfinished(before: number): Promise<number> {
    let dropped = 0;
    for await (const upload of this.#unfinished(before)) {
      const gone = await this.#find(() => this.#reader.send(new AbortMultipartUploadCommand(upload)));
      if (gone !== null) dropped += 1;
    }
    return dropped;
  }

  /** Uploads of which nothing has come since an instant. */
  async *#unfinished(before: number): AsyncIterable<UnfinishedUpload> {
    let from: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
    while (from !== null) {
      const request: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.#bucket,
        Prefix: this.#prefix,
        ...from,
      });
      const page: ListMultipartUploadsCommandOutput = await this.#try(() => this.#reader.send(request));
      for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
        const upload = { Bucket: this.#bucket, Key, UploadId };
        if (
          Initiated !== undefined &&
          Initiated.getTime() < before &&
          !(await this.#isMoving(upload, before))
        ) {
          yield upload;
        }
      }
      from =
        page.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker ?? '', UploadIdMarker: page.NextUploadIdMarker ?? '' }
          : null;
    }
  }

  async #isMoving(upload: UnfinishedUpload, since: number): Promise<boolean> {
    const page = await this.#find(() => this.#reader.send(new ListPartsCommand(upload)));
    return (page?.Parts ?? []).some(({ LastModified }) => (LastModified?.getTime() ?? 0) >= since);
  }

  presign(
    key: MediaKey,
    options: { readonly seconds: number; readonly mediaType: string; readonly disposition: string },
  ): Promise<string> {
    const request = new GetObjectCommand({
      ...this.#at(key),
      ResponseContentType: options.mediaType,
      ResponseContentDisposition: options.disposition,
      ResponseCacheControl: 'private, no-store',
    });
    return this.#try(() => getSignedUrl(this.#reader, request, { expiresIn: options.seconds }));
  }

  async check(): Promise<void> {
    const name = { Bucket: this.#bucket, Key: `${this.#prefix}check-${randomUUID()}` };
    await this.#try(async () => {
      await this.#writer.send(new PutObjectCommand({ ...name, Body: Buffer.from('rollcall') }));
      await this.#reader.send(new DeleteObjectCommand(name));
    });
    // Not every server knows of versions, and not every key may ask.
    const versions = await this.#reader
      .send(new GetBucketVersioningCommand({ Bucket: this.#bucket }))
      .catch(() => null);
    if (versions?.Status === 'Enabled') {
      throw new Failure(
        'unavailable',
        `s3://${this.#bucket} keeps old versions, and so what has to be let go; suspend its versioning`,
      );
    }
  }

  async freeBytes(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    this.#reader.destroy();
    this.#writer.destroy();
  }

  /** Null where there is no such object. That the bucket itself is there is asked once. */
  async #find<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await this.#try(work);
    } catch (error) {
      if (!(error instanceof Failure) || !isMissing(error.cause)) throw error;
      if (!this.#isBucketSeen)
        await this.#try(() => this.#reader.send(new HeadBucketCommand({ Bucket: this.#bucket })));
      this.#isBucketSeen = true;
      return null;
    }
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainS3(error, `s3://${this.#bucket}`);
    }
  }
}

interface UnfinishedUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}
