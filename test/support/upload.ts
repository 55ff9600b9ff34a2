/** Files as a user sends them. */
import { createHash } from 'node:crypto';
import type { App } from './app.ts';

/** Announces a file of a project. @returns where to send it, empty when it is already stored, and its value. */
export async function announce(
  app: App,
  project: string,
  content: Uint8Array | { sha256: string; sizeBytes: number },
): Promise<{ uri: string; uploadUrl: string }> {
  const { sha256, sizeBytes } =
    content instanceof Uint8Array
      ? { sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.byteLength }
      : content;
  const { data, errors } = await app.ask(
    `mutation ($input: CreateBlobUploadInput!) {
       createBlobUpload(input: $input) { ... on CreateBlobUploadPayload { uri uploadUrl } ... on Error { code message } }
     }`,
    { input: { owner: { project }, sha256, sizeBytes: String(sizeBytes) } },
  );
  if (!data?.createBlobUpload?.uri) throw new Error(JSON.stringify({ data, errors }));
  return { uri: data.createBlobUpload.uri, uploadUrl: data.createBlobUpload.uploadUrl ?? '' };
}
