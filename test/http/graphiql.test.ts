/** GraphiQL without a browser: who gets the page, and how. */
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { renderPage } from '../../src/http/graphiql/page.ts';
import { createGraphQLServer } from '../../src/http/graphql.ts';
import { type App, startApp } from '../support/app.ts';

vi.mock('../../src/http/graphiql/page.ts', { spy: true });

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** The answer as it is sent. `fetch` would decompress it. */
async function get(headers: Record<string, string>) {
  return await new Promise<{ status: number | undefined; headers: NodeJS.Dict<unknown>; body: Buffer }>(
    (resolve, reject) => {
      request(`${app.url}/graphql`, { headers }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
      })
        .on('error', reject)
        .end();
    },
  );
}

describe('GraphiQL', () => {
  it('is rendered by the first request that can, once for all who ask at the same time', async () => {
    const ask = () => get({ accept: 'text/html', 'accept-encoding': 'gzip' });
    vi.mocked(renderPage).mockImplementationOnce(() => {
      throw new Error('the package is damaged');
    });
    expect(await ask()).toMatchObject({ status: 500 });

    const pages = await Promise.all([ask(), ask(), ask()]);
    for (const { status, body } of pages) {
      expect(status).toBe(200);
      expect(body.equals(pages[0]?.body ?? Buffer.of())).toBe(true);
    }
    expect(gunzipSync(pages[0]?.body ?? '').toString()).toContain('renderYogaGraphiQL');
    expect(renderPage).toHaveBeenCalledTimes(2);
  });

  it('leaves nothing of its package in memory', async () => {
    await get({ accept: 'text/html' });
    const { cache } = createRequire(import.meta.url);
    expect(Object.keys(cache).filter((file) => file.includes('render-graphiql'))).toEqual([]);
  });

  it('is sent to browsers, compressed if they can read that', async () => {
    const plain = await get({ accept: 'text/html' });
    expect(plain).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const zipped = await get({ accept: 'text/html', 'accept-encoding': 'br, gzip' });
    expect(zipped).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } });
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    const other = await get({ accept: 'text/html', 'accept-encoding': 'br' });
    expect(other.headers['content-encoding']).toBeUndefined();
  });

  it.each([[{}], [{ accept: 'application/json' }]])('is not sent to programs: %j', async (headers) => {
    expect((await get(headers)).status).toBe(405);
  });

  it('is the only page: the library of the server has none of its own', async () => {
    const graphql = createGraphQLServer();
    for (const path of ['/graphql', '/', '/elsewhere']) {
      const asked = new graphql.fetchAPI.Request(`http://slipway.invalid${path}`, {
        headers: { accept: 'text/html' },
      });
      const context = { caller: null, signal: asked.signal, publicUrl: app.url, operations: [] };
      const answer = await graphql.handleRequest(asked, context as never);
      expect(await answer.text()).not.toMatch(/<html/i);
    }
  });
});
