/** moto's S3 server in a process of its own, and a client that looks at it from the side. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { eventually } from './waiting.ts';

export const S3_PROGRAM = resolve(import.meta.dirname, '../.clients/moto/bin/moto_server');

export class S3Server {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #stop: () => Promise<unknown>;

  private constructor(client: S3Client, bucket: string, stop: () => Promise<unknown>) {
    this.#client = client;
    this.#bucket = bucket;
    this.#stop = stop;
  }

  /** Starts it on this port, with one bucket. */
  static async start(port: number, bucket: string): Promise<S3Server> {
    const { PATH, HOME } = process.env;
    const server = spawn(S3_PROGRAM, ['-H', '127.0.0.1', '-p', String(port)], {
      env: { PATH, HOME },
      stdio: 'ignore',
    });
    const stop = async () => {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
    };
    const client = new S3Client({
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: { accessKeyId: 'side', secretAccessKey: 'side' },
    });
    await eventually(
      () => client.send(new CreateBucketCommand({ Bucket: bucket })).catch(() => null),
      (answer) => answer !== null,
    );
    return new S3Server(client, bucket, stop);
  }

  /** The keys and sizes of all objects. */
  async objects(): Promise<[string, number][]> {
    const { Contents = [] } = await this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket }));
    return Contents.map(({ Key = '', Size = 0 }) => [Key, Size]);
  }

  /** The checksum that S3 makes of an object: with the number of its parts behind it, if it came in parts. */
  async etag(key: string): Promise<string> {
    const { ETag = '' } = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }));
    return ETag;
  }

  async unfinishedUploads(): Promise<number> {
    const { Uploads = [] } = await this.#client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#bucket }),
    );
    return Uploads.length;
  }

  async overwrite(key: string, body: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body }));
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    await this.#stop();
  }
}
