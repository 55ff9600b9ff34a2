/** Trusted documents, by id and by text. The server runs only trusted documents. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphQLError } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { leaseJobsDocument } from '../../src/executor/host/documents.ts';
import { TrustedDocuments } from '../../src/http/trusted-documents.ts';
import { log } from '../../src/platform/log.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { firstResult, overSse, overWebSocket, socketClient } from '../support/watch.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** In the forms that builds of clients write: with the name of the algorithm, and without it. */
const listed = await vi.hoisted(async () => {
  const { createHash } = await import('node:crypto');
  const { mkdtempSync, writeFileSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const login = 'mutation { login { ... on LoginPayload { token } } }';
  const viewer = 'query Viewer { viewer { username } }';
  const events = 'subscription Events { executionEvents(by: { id: "none" }) { id } }';
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const folder = mkdtempSync(join(tmpdir(), 'slipway-trusted-'));
  const file = join(folder, 'persisted-documents.json');
  const manifest = {
    [`sha256:${hash(login)}`]: login,
    [hash(viewer)]: viewer,
    [`sha256:${hash(events)}`]: events,
  };
  writeFileSync(file, JSON.stringify(manifest));
  process.env['TRUSTED_DOCUMENTS'] = 'enforce';
  process.env['TRUSTED_DOCUMENTS_FILE'] = file;
  return { folder, viewer, events };
});
const unlisted = 'query Other { viewer { id } }';
const hash = sha256(listed.viewer);

describe('a server that enforces trusted documents', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
  });
  afterAll(async () => {
    await app.stop();
    rmSync(listed.folder, { recursive: true });
  });

  async function post(body: unknown) {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: app.admin },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  }

  it.each([
    ['its text', { query: listed.viewer }],
    ['documentId, with the name of the algorithm', { documentId: `sha256:${hash}` }],
    ['documentId, without it', { documentId: hash }],
    ["Apollo's form", { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }],
  ])('runs a listed document by %s', async (_form, body) => {
    for (const all of [body, { ...body, operationName: 'Viewer', variables: {} }]) {
      const { status, body: answer } = await post(all);
      expect([status, answer.data]).toEqual([200, { viewer: { username: 'admin' } }]);
    }
  });

  it('refuses every other document, also one that differs in a space', async () => {
    for (const query of [unlisted, `${listed.viewer} `, '{ __schema { types { name } } }']) {
      const { status, body } = await post({ query });
      expect(status).toBe(403);
      expect(body).toEqual({
        errors: [{ message: expect.stringContaining('trusted'), extensions: { code: 'PERMISSION_DENIED' } }],
      });
    }
  });

  it('registers no document: a document sent with its hash is refused, and the hash stays unknown', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(unlisted) } };
    for (let round = 0; round < 2; round += 1) {
      expect((await post({ query: unlisted, extensions })).status).toBe(403);
      const { status, body } = await post({ extensions });
      // Clients of Apollo and urql know this message.
      expect([status, body]).toEqual([
        200,
        { errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'NOT_FOUND' } }] },
      ]);
    }
    // The hash of a trusted document does not help another text.
    expect((await post({ query: unlisted, documentId: hash })).status).toBe(403);
  });

  it('refuses a request with neither document nor id', async () => {
    for (const body of [
      {},
      { documentId: 7 },
      { extensions: {} },
      { extensions: { persistedQuery: null } },
    ]) {
      const { status, body: answer } = await post(body);
      expect([status, answer.errors[0].extensions.code]).toEqual([400, 'INVALID_ARGUMENT']);
    }
  });

  it('applies the same rules to each operation of a batch', async () => {
    expect(
      (await post([{ documentId: hash }, { query: listed.viewer }])).body.map(({ data }: Answer) => data),
    ).toEqual(Array(2).fill({ viewer: { username: 'admin' } }));
    const unknown = { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(unlisted) } } };
    const mixed = await post([{ documentId: hash }, { query: unlisted }, unknown, { documentId: 'x' }]);
    expect(mixed.status).toBe(200);
    expect(mixed.body.map(({ data, errors }: Answer) => data ?? errors[0].extensions)).toEqual([
      { viewer: { username: 'admin' } },
      { code: 'PERMISSION_DENIED' },
      { code: 'NOT_FOUND' },
      { code: 'NOT_FOUND' },
    ]);
  });

  it('applies the same rules over Server-Sent Events and WebSocket', async () => {
    const codeOf = (answer: Answer) => answer.errors[0].extensions;
    expect(codeOf((await overSse(app, listed.events).next()).value).code).toBe('NOT_FOUND');
    expect((await overWebSocket(app, listed.viewer)).data.viewer.username).toBe('admin');
    expect(codeOf(await overWebSocket(app, unlisted))).toEqual({ code: 'PERMISSION_DENIED' });
    expect(codeOf(await overWebSocket(app, unlisted.replace('query', 'subscription')))).toEqual({
      code: 'PERMISSION_DENIED',
    });
    const client = socketClient(app);
    const byId = await new Promise<Answer>((resolve, reject) => {
      const extensions = { persistedQuery: { sha256Hash: hash } };
      client.subscribe({ query: '', extensions }, { next: resolve, error: reject, complete() {} });
    });
    expect(byId.data.viewer.username).toBe('admin');
    expect(codeOf(await firstResult(client, ''))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await client.dispose();
  });

  it('trusts the exact documents of the executor without configuration', async () => {
    const variables = {
      input: { executor: 'local', pool: 'default', slots: 1, knownRuns: [], maxJobs: 1, wait: 'PT0S' },
    };
    const { status, errors } = await app.ask(String(leaseJobsDocument), variables, app.executor);
    expect(status).not.toBe(403);
    expect(errors?.[0]?.extensions.code).not.toBe('PERMISSION_DENIED');
  });
});

describe('trusted documents', () => {
  const manifest = { [`sha256:${hash}`]: listed.viewer, 'a-name-of-ours': 'query Named { viewer { id } }' };
  const codeOf = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return error instanceof GraphQLError ? error.extensions['code'] : error;
    }
    return null;
  };

  it('are found by the id in the manifest and by their text', () => {
    const trusted = new TrustedDocuments('enforce', manifest);
    expect(trusted.textOf({ documentId: 'a-name-of-ours' })).toBe('query Named { viewer { id } }');
    expect(trusted.textOf({ query: 'query Named { viewer { id } }' })).toBe('query Named { viewer { id } }');
  });

  it('are not required when the mode is off, but can be named by id', () => {
    const trusted = new TrustedDocuments('off', manifest);
    expect(trusted.textOf({ query: unlisted })).toBe(unlisted);
    expect(trusted.textOf({ documentId: hash })).toBe(listed.viewer);
    expect(codeOf(() => trusted.textOf({ documentId: 'unknown' }))).toBe('NOT_FOUND');
  });

  it.each<['off' | 'log' | 'enforce', string, string]>([
    ['off', 'PersistedQueryNotSupported', 'UNIMPLEMENTED'],
    ['log', 'PersistedQueryNotSupported', 'UNIMPLEMENTED'],
    ['enforce', 'PersistedQueryNotFound', 'NOT_FOUND'],
  ])("answer an unknown hash as Apollo's clients expect when the mode is %s", (mode, message, code) => {
    const trusted = new TrustedDocuments(mode, manifest);
    const ask = (sha256Hash: string) => () =>
      trusted.textOf({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
    expect(ask(sha256(unlisted))).toThrow(message);
    expect(codeOf(ask(sha256(unlisted)))).toBe(code);
    expect(ask(hash)()).toBe(listed.viewer);
  });

  it('are logged once each with name and hash only, and up to a limit', () => {
    const warn = vi.spyOn(log, 'warn').mockImplementation(() => {});
    const trusted = new TrustedDocuments('log', manifest);
    for (let round = 0; round < 3; round += 1) expect(trusted.textOf({ query: unlisted })).toBe(unlisted);
    trusted.textOf({ query: listed.viewer });
    expect(warn.mock.calls).toEqual([
      [{ document: `sha256:${sha256(unlisted)}`, operation: 'Other' }, expect.any(String)],
    ]);
    for (let other = 0; other < 3000; other += 1) trusted.textOf({ query: `{ viewer { id } } # ${other}` });
    expect(warn).toHaveBeenCalledTimes(1000);
    vi.restoreAllMocks();
  });

  it.each([
    ['is missing', null],
    ['is no JSON', '{'],
    ['is no object of texts', '{"a": 1}'],
    ['is a list', '["a"]'],
  ])('prevent the start when their manifest %s', async (_why, content) => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-manifest-'));
    const file = join(folder, 'manifest.json');
    if (content !== null) writeFileSync(file, content);
    vi.resetModules();
    vi.stubEnv('TRUSTED_DOCUMENTS_FILE', file);
    const { trustedDocuments } = await import('../../src/http/trusted-documents.ts');
    expect(() => trustedDocuments()).toThrow(/TRUSTED_DOCUMENTS_FILE cannot be read/);
    vi.resetModules();
    vi.stubEnv('TRUSTED_DOCUMENTS_FILE', '');
    const without = await import('../../src/http/trusted-documents.ts');
    expect(() => without.trustedDocuments()).toThrow(
      /TRUSTED_DOCUMENTS=enforce needs TRUSTED_DOCUMENTS_FILE/,
    );
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
});
