import { expect, it } from 'vitest';
import { blobUrl } from '../../src/platform/blob-url.ts';

it.each([
  ['s3://files', { bucket: 'files', prefix: '', endpoint: undefined, region: 'us-east-1' }],
  ['s3://files/', { prefix: '' }],
  ['s3://files/a//b/', { prefix: 'a/b/' }],
  ['s3://files?region=eu-central-1', { region: 'eu-central-1' }],
  [
    's3://files/a?endpoint=http://127.0.0.1:9000&region=x',
    { endpoint: 'http://127.0.0.1:9000', region: 'x' },
  ],
])('%s names a bucket', (text, expected) => {
  expect(blobUrl.parse(text)).toMatchObject(expected);
});

it.each([
  'files',
  'https://files',
  's3://',
  's3://a',
  's3://Files_1',
  's3://files:9000',
  's3://key:secret@files',
  's3://files#x',
  's3://files/a b',
  's3://files?secret=x',
  's3://files?region=a&region=b',
  's3://files?endpoint=files.example.com',
  's3://files?endpoint=ftp://x',
  's3://files?endpoint=https://key:secret@x',
])('%s names none', (text) => {
  const { success, error } = blobUrl.safeParse(text);
  expect(success).toBe(false);
  expect(error?.issues[0]?.message).toContain('without credentials');
});
