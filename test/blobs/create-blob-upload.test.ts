import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { textsIn } from '../../src/blobs/domain/texts.ts';
import { isSignedBlobUrl, signedBlobUrl, userOfSignedUrl } from '../../src/blobs/signed-url.ts';
import { serverConfig } from '../../src/platform/config/server.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { newCaller, newUser } from '../support/users.ts';

const project = 'files';
let app: App;
let hands: Hands;
beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

const newHash = () => randomBytes(32).toString('hex');
const create = (input: object, authorization?: string): Promise<Answer> =>
  mutate(
    app,
    'createBlobUpload',
    { owner: { project }, sha256: newHash(), sizeBytes: '1', ...input },
    'uri uploadUrl',
    authorization,
  );

describe('createBlobUpload', () => {
  it.each([
    ['an empty file', () => '0'],
    ['the largest file', () => String(serverConfig.blobLimitBytes)],
  ])('prepares %s', async (_what, sizeOf) => {
    expect((await create({ sizeBytes: sizeOf() })).uri).toMatch(/^slipway:/);
  });

  it.each([
    ['a hash with capitals', { sha256: 'A'.repeat(64) }, 'sha256'],
    ['a hash of 63 digits', { sha256: 'a'.repeat(63) }, 'sha256'],
    ['a hash of 65 digits', { sha256: 'a'.repeat(65) }, 'sha256'],
    ['a negative size', { sizeBytes: '-1' }, 'sizeBytes'],
  ])('refuses %s', async (_what, input, field) => {
    expect(await create(input)).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', field] });
  });

  it('refuses a file that is too large', async () => {
    const sizeBytes = String(serverConfig.blobLimitBytes + 1);
    expect(await create({ sizeBytes })).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      path: ['input', 'sizeBytes'],
    });
  });

  it('refuses another size for a file that is stored', async () => {
    const content = randomBytes(20);
    const { uploadUrl } = await announce(app, project, content);
    await fetch(uploadUrl, { method: 'PUT', body: content });
    const { sha256 } = await db.blob.findFirstOrThrow({ where: { uploadedAt: { not: null } } });
    expect(await create({ sha256: Buffer.from(sha256).toString('hex'), sizeBytes: '21' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'sizeBytes'],
    });
  });

  it.each([{}, { project, run: newId() }])('needs one owner: %j', async (owner) => {
    const { code } = await create({ owner });
    expect(code).toBe((await create({ sha256: null })).code);
  });

  it('answers links that are valid for as long as is configured', async () => {
    const uri = await upload();
    const id = await launch(app, project, 'one');
    await pool.query('update executions set inputs = $2 where id = $1', [
      id,
      JSON.stringify(fileLiterals(uri)),
    ]);
    stopClocks('Date');
    const second = Math.floor(Date.now() / 1000);
    vi.setSystemTime(second * 1000 + 800);
    const { uploadUrl } = await create({});
    const document = 'query ($id: ID!) { execution(by: { id: $id }) { data { files { uri downloadUrl } } } }';
    const { data } = await app.ask(document, { id });
    const [file] = data.execution.data.files;
    expect(file.uri).toBe(uri);
    const expires = second + serverConfig.blobUrlSeconds;
    for (const url of [uploadUrl, file.downloadUrl])
      expect(new URL(url).searchParams.get('expires')).toBe(String(expires));
  });
});

async function upload(): Promise<string> {
  const content = randomBytes(20);
  const { uri, uploadUrl } = await announce(app, project, content);
  expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
  return uri;
}

const fileLiterals = (uri: string) => ({
  x: { scalar: { blob: { uri, metadata: { type: { format: '', dimensionality: 'SINGLE' } } } } },
});

describe('a file of a run', () => {
  const createFor = (run: string, authorization = app.executor) => create({ owner: { run } }, authorization);
  const notFound = { code: 'NOT_FOUND', path: ['input', 'owner', 'run'] };

  async function takeRun(): Promise<Run> {
    await launch(app, project, 'one');
    return await hands.leaseNode('a');
  }
  const endLease = (run: Run, jobState: string) =>
    pool.query(
      `with lost as (
         update job_runs set state = 'LEASE_EXPIRED', ended_at = now() where id = $1 returning job_id
       )
       update jobs set state = $2::job_state from lost where id = job_id`,
      [run.id, jobState],
    );

  it('belongs to the project of its job, while the executor has the run', async () => {
    const run = await takeRun();
    expect((await createFor(run.id)).uri).toMatch(/^slipway:/);
    const stranger = await newCaller({ role: 'SYSTEM', scopes: ['executor'] });
    expect(await createFor(run.id, stranger)).toMatchObject(notFound);
    await hands.succeed(run, { y: 2 });
    expect(await createFor(run.id)).toMatchObject(notFound);
  });

  it('can be uploaded after the lease has expired, until another executor has the job', async () => {
    const run = await takeRun();
    await endLease(run, 'QUEUED');
    expect((await createFor(run.id)).uri).toMatch(/^slipway:/);
    await endLease(run, 'LEASED');
    expect(await createFor(run.id)).toMatchObject(notFound);
  });

  it.each(['no id at all', newId()])('is not found for the run %s', async (run) => {
    expect(await createFor(run)).toMatchObject(notFound);
  });

  it('is only for executors, and the audit log names the run', async () => {
    const user = await newUser({ role: 'ADMIN' });
    const run = newId();
    expect((await createFor(run, user.authorization)).refused).toBe('PERMISSION_DENIED');
    await flushDenials();
    const denied = await db.auditEvent.findMany({ where: { actorId: user.id, outcome: 'DENIED' } });
    expect(denied).toMatchObject([{ action: 'job:run', targetType: 'job run', targetName: run }]);
  });
});

describe('a signed link', () => {
  it('is valid until the moment in it, and not a millisecond longer', () => {
    const expiresAt = new Date('2026-11-22T10:00:00.000Z');
    const { searchParams } = new URL(signedBlobUrl('http://x', 'GET', 'some-id', expiresAt));
    const [expires, from, signature] = ['expires', 'from', 'signature'].map((name) =>
      searchParams.get(name),
    ) as (string | null)[];
    const query = { expires: expires ?? null, from: from ?? null, signature: signature ?? null };
    const isValid = (now: number) => isSignedBlobUrl('GET', 'some-id', query, new Date(now));
    expect(isValid(expiresAt.getTime())).toBe(true);
    expect(isValid(expiresAt.getTime() + 1)).toBe(false);
  });
});

describe('the link of an upload', () => {
  it('says to this server who asked, and to nobody else', async () => {
    const content = randomBytes(10);
    const links = [];
    for (let time = 0; time < 2; time += 1) links.push(await announce(app, project, content));
    const queries = links.map(({ uploadUrl }) => {
      const { searchParams } = new URL(uploadUrl);
      return { expires: null, from: searchParams.get('from'), signature: searchParams.get('signature') };
    });
    const { data } = await app.ask('{ viewer { id } }');
    expect(queries.map(userOfSignedUrl)).toEqual([data.viewer.id, data.viewer.id]);
    // Nobody can tell that both are for the same user.
    expect(queries[0]?.from).not.toBe(queries[1]?.from);
    const raw = Buffer.from(queries[0]?.from ?? '', 'base64url').toString('latin1');
    for (const said of [links[0]?.uploadUrl, raw]) expect(said).not.toContain(data.viewer.id);
  });

  it('is not valid without the part that says who asked, or with that of another link', async () => {
    const content = randomBytes(10);
    const { uploadUrl } = await announce(app, project, content);
    const { uploadUrl: second } = await announce(app, project, content);
    const from = new URL(second).searchParams.get('from');
    const put = async (url: string) => (await fetch(url, { method: 'PUT', body: content })).status;
    expect(uploadUrl).toMatch(/&from=[^&]+&/);
    expect(await put(uploadUrl.replace(/&from=[^&]+/, ''))).toBe(403);
    expect(await put(uploadUrl.replace(/&from=[^&]+/, `&from=${from}`))).toBe(403);
    expect(await put(uploadUrl)).toBe(201);
  });
});

describe('the texts in a value', () => {
  it('are found at any depth, between numbers and nulls', () => {
    expect(textsIn({ a: null, b: [1, true, 'one', { c: 'two' }] }).sort()).toEqual(['one', 'two']);
    expect(textsIn('three')).toEqual(['three']);
    expect(textsIn(null)).toEqual([]);
  });
});
