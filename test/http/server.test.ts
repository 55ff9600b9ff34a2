/** How a server listens: under which address, and how long requests may take to arrive. */
import { networkInterfaces } from 'node:os';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createListener } from '../../src/http/listener.ts';
import { startMetricsServer } from '../../src/http/metrics.ts';
import { startServer } from '../../src/http/server.ts';
import { firstStart } from '../../src/identity/commands/first-start.ts';
import { notifications } from '../../src/platform/database/notify.ts';

vi.mock('../../src/http/listener.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/http/listener.ts')>();
  return { ...original, createListener: vi.fn(original.createListener) };
});

await firstStart('admin', async () => {});
await notifications.start();
afterAll(() => notifications.close());

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === '::1');

describe('a server', () => {
  it.each<[host: string, url: RegExp]>([
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
    // All addresses of the machine.
    ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ...(hasIPv6
      ? ([
          ['::', /^http:\/\/127\.0\.0\.1:\d+$/],
          ['::1', /^http:\/\/\[::1\]:\d+$/],
        ] as [string, RegExp][])
      : []),
  ])('that listens on %s is reached on this machine', async (host, url) => {
    const server = await startServer({ host, port: 0 });
    expect(server.url).toMatch(url);
    expect((await fetch(`${server.url}/health/alive`)).status).toBe(200);
    await server.stop();
  });

  it('gives a request two minutes to arrive, its headers 20 seconds, and the next one 75', async () => {
    const server = await startServer({ host: '127.0.0.1', port: 0 });
    await server.stop();
    expect(vi.mocked(createListener).mock.lastCall?.[0]).toEqual({
      requestTimeout: 120_000,
      headersTimeout: 20_000,
      keepAliveTimeout: 75_000,
    });
  });

  it('gives a request for metrics ten seconds to arrive, and its headers five', async () => {
    const server = await startMetricsServer({ host: '127.0.0.1', port: 0 });
    await server?.stop();
    expect(vi.mocked(createListener).mock.lastCall?.[0]).toEqual({
      requestTimeout: 10_000,
      headersTimeout: 5_000,
    });
  });
});
