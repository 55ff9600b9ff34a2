/** Files as a user sends them. */
import { createHash } from 'node:crypto';
import type { App } from './app.ts';
import { mutate } from './mutate.ts';

/** Announces a file of a project. @returns where to send it, empty when it is already stored, and its value. */
export async function announce(
  app: App,
  project: string,
  content: Uint8Array | { sha256: string; sizeBytes: number },
  authorization?: string,
): Promise<{ uri: string; uploadUrl: string }> {
  const { sha256, sizeBytes } =
    content instanceof Uint8Array
      ? { sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.byteLength }
      : content;
  const input = { owner: { project }, sha256, sizeBytes: String(sizeBytes) };
  const answer = await mutate(app, 'createBlobUpload', input, 'uri uploadUrl', authorization);
  if (!answer.uri) throw new Error(JSON.stringify(answer));
  return { uri: answer.uri, uploadUrl: answer.uploadUrl ?? '' };
}
