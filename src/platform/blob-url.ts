import { z } from 'zod';

/** A bucket of S3-compatible storage, and how to reach it. */
export interface BlobBucket {
  readonly bucket: string;
  /** What the names of all objects begin with: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined;
  readonly region: string;
}

const EXAMPLE = 's3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1';
const parameters = new Set(['endpoint', 'region']);
/** Source: the rules of Amazon S3 for names of buckets. */
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A variable with the address of a bucket. Credentials are not part of it. */
export const blobUrl = z.string().transform((text, issues): BlobBucket => {
  const bucket = bucketOf(text);
  if (bucket) return bucket;
  issues.addIssue({ code: 'custom', message: `must be a URL such as ${EXAMPLE}, without credentials` });
  return z.NEVER;
});

function bucketOf(text: string): BlobBucket | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const names = [...url.searchParams.keys()];
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  const isValid =
    url.protocol === 's3:' &&
    bucketName.test(url.hostname) &&
    [url.username, url.password, url.port, url.hash].every((part) => part === '') &&
    names.every((name) => parameters.has(name)) &&
    new Set(names).size === names.length &&
    /^[\w!.*'()/-]{0,512}$/.test(url.pathname) &&
    (endpoint === undefined || isEndpoint(endpoint));
  if (!isValid) return null;
  const prefix = url.pathname.split('/').filter(Boolean).join('/');
  return {
    bucket: url.hostname,
    prefix: prefix && `${prefix}/`,
    endpoint,
    region: url.searchParams.get('region') || 'us-east-1',
  };
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
