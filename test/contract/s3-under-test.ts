import { randomUUID } from 'node:crypto';
import { describe, it, type TestOptions } from 'node:test';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { type S3Patience, S3Place } from '../../src/media/s3.ts';

/** The server that `test/swift/start.sh` started, or any other with S3's API; keys are in AWS's own variables. */
export const ENDPOINT = process.env.ROLLCALL_TEST_S3;

/** Why there are no tests against that server; false where there are. */
export const noS3: string | false =
  ENDPOINT === undefined && 'no server with the S3 API: .ci/run starts one, and so does test/swift/start.sh';

/** A group of tests against that server; where there is none, one line that says so. */
export function describeWithS3(name: string, options: TestOptions, tests: () => void): void {
  if (noS3 === false) describe(name, options, tests);
  else it(name, { skip: noS3 }, () => {});
}

/** A bucket of its own, seen beside the place under test. */
export class BucketUnderTest {
  readonly name = `rollcall-${randomUUID()}`;
  readonly #client = new S3Client({
    region: 'us-east-1',
    forcePathStyle: true,
    ...(ENDPOINT === undefined ? {} : { endpoint: ENDPOINT }),
  });

  async make(): Promise<this> {
    await this.#client.send(new CreateBucketCommand({ Bucket: this.name }));
    return this;
  }

  /** A place in it, reached through another address where one is given. */
  open(prefix: string, endpoint = ENDPOINT ?? '', patience?: S3Patience): S3Place {
    const options = { bucket: this.name, prefix, endpoint, region: null, pathStyle: true };
    return new S3Place(options, patience);
  }

  /** Names of all objects, and of all uploads that are not whole. */
  async everything(): Promise<string[]> {
    const { Contents = [], IsTruncated } = await this.#client.send(
      new ListObjectsV2Command({ Bucket: this.name }),
    );
    if (IsTruncated === true) throw new Error('more than this looks at');
    const { Uploads = [] } = await this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.name }));
    return [
      ...Contents.map(({ Key }) => String(Key)),
      ...Uploads.map(({ Key, UploadId }) => `${Key} unfinished ${UploadId}`),
    ];
  }

  async drop(): Promise<void> {
    // The whole server goes with its folder; what is left in a bucket is no matter.
    await this.#client.send(new DeleteBucketCommand({ Bucket: this.name })).catch(() => {});
    this.#client.destroy();
  }
}
