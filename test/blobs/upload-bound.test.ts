import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MAX_UPLOADS_OF_USER } from '../../src/blobs/upload-slots.ts';
import { type App, startApp } from '../support/app.ts';
import { eventually, registerProject } from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { newUser } from '../support/users.ts';

/** The temporary folder of this file, in which each upload that has a slot has a folder. */
const temporary = mkdtempSync(join(tmpdir(), 'upload-bound-'));

let app: App;
beforeAll(async () => {
  process.env['TMPDIR'] = temporary;
  app = await startApp({ scheduler: false });
  await registerProject(app, 'files');
});
afterAll(async () => {
  await app.stop();
  rmSync(temporary, { recursive: true });
});

/** The folders of what has not arrived completely. */
const uploads = () =>
  readdirSync(temporary)
    .filter((name) => name.startsWith('slipway-upload-'))
    .map((name) => join(temporary, name));

/** Begins an upload and stops half-way. */
async function begin(content: Uint8Array): Promise<ClientRequest> {
  const { uploadUrl } = await announce(app, 'files', content);
  const request = httpRequest(uploadUrl, { method: 'PUT', headers: { 'content-length': content.length } });
  request.write(content.subarray(0, 1));
  return request;
}
const statusOf = async (request: ClientRequest) => {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
};

describe('uploads at once', () => {
  it('are limited, and a refused upload is told when to come again', async () => {
    const contents = Array.from({ length: MAX_UPLOADS_OF_USER }, () => randomBytes(10));
    const held = await Promise.all(contents.map(begin));
    // Before that, another upload could take the slot of one of these.
    await eventually(
      () => uploads().length,
      (count) => count === MAX_UPLOADS_OF_USER,
    );
    // What has arrived is readable for the server only.
    const modes = () =>
      uploads().flatMap((folder) =>
        readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o7777),
      );
    await eventually(modes, (all) => all.length === MAX_UPLOADS_OF_USER);
    expect(new Set(modes())).toEqual(new Set([0o600]));
    const content = randomBytes(10);
    const { uploadUrl } = await announce(app, 'files', content);
    // The server may close the connection of a refused upload before the client has read the answer.
    const put = () => fetch(uploadUrl, { method: 'PUT', body: content }).catch(() => null);
    const refused = await eventually(put, (answer) => answer?.status === 503);
    expect(refused?.headers.get('retry-after')).toBe('2');
    expect(await refused?.json()).toMatchObject({ errors: [{ extensions: { code: 'RESOURCE_EXHAUSTED' } }] });
    // Another user of the same tenant finds a place.
    const ofProject = { type: 'PROJECT', level: 'USE' } as const;
    const other = await newUser({ grants: [ofProject] });
    const theirs = randomBytes(10);
    const link = await announce(app, 'files', theirs, other.authorization);
    expect((await fetch(link.uploadUrl, { method: 'PUT', body: theirs })).status).toBe(201);
    for (const [index, request] of held.entries()) request.end(contents[index]?.subarray(1));
    expect(await Promise.all(held.map(statusOf))).toEqual(held.map(() => 201));
    // A slot is free when its temporary file is deleted, a moment after the answer.
    const late = await eventually(put, (answer) => answer !== null && answer.status !== 503);
    expect([200, 201]).toContain(late?.status);
    await eventually(
      () => uploads().length,
      (count) => count === 0,
    );
  });

  it('are ended when they are too slow, and another upload of the same file can begin', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const content = randomBytes(200_000);
    const { uploadUrl } = await announce(app, 'files', content);
    const headers = { 'content-length': content.length };
    const slow = httpRequest(uploadUrl, { method: 'PUT', headers });
    slow.write(content.subarray(0, 70_000));
    const bytesArrived = () =>
      uploads()
        .flatMap((folder) => readdirSync(folder).map((name) => statSync(join(folder, name)).size))
        .reduce((sum, size) => sum + size, 0);
    await eventually(bytesArrived, (count) => count === 70_000);
    const second = await fetch(uploadUrl, { method: 'PUT', body: content }).catch(() => null);
    expect(second?.status ?? 503).toBe(503);
    const answered = statusOf(slow);
    // Enough has arrived in the first period, and nothing in the second.
    vi.advanceTimersByTime(10_000);
    expect(uploads()).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(await answered).toBe(408);
    await eventually(
      () => uploads().length,
      (count) => count === 0,
    );
    expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
  });
});

afterEach(() => {
  vi.useRealTimers();
});
