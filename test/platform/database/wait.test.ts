/** A start that waits for its database: how long, and what the operator is told. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { databaseUrl } from '../../../src/platform/database/client.ts';
import { waitForDatabase } from '../../../src/platform/database/wait.ts';
import { stopClocks } from '../../support/clock.ts';

let server: Server | null = null;
afterEach(() => {
  server?.close();
  server = null;
});

/** A port where connections are closed at once, each after `onConnection`. */
async function closingPort(onConnection: (count: number) => void): Promise<number> {
  let count = 0;
  server = createServer((socket) => {
    count += 1;
    onConnection(count);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const urlAt = (port: number) => `postgresql://slipway:secret@127.0.0.1:${port}/slipway`;
const correct = 'Start it, or correct DATABASE_URL.';

describe('waitForDatabase', () => {
  it('tells nothing when the database answers', async () => {
    const tell = vi.fn();
    await waitForDatabase(databaseUrl, { tell });
    expect(tell).not.toHaveBeenCalled();
  });

  it.each<[trySeconds: number | undefined, wait: number]>([
    [undefined, 60_000],
    [5, 5000],
  ])('tries for a minute, unless told otherwise, and says so once: %s', async (trySeconds, wait) => {
    stopClocks('Date');
    const start = Date.now();
    const counts: number[] = [];
    const port = await closingPort((count) => {
      counts.push(count);
      // At the end of the time there is one more try, and a millisecond later there is none.
      if (count === 2) vi.setSystemTime(start + wait);
      if (count === 3) vi.setSystemTime(start + wait + 1);
      if (count > 3) vi.setSystemTime(start + wait * 20);
    });
    const tell = vi.fn();
    const waiting = waitForDatabase(urlAt(port), {
      tell,
      ...(trySeconds === undefined ? {} : { trySeconds }),
    });
    const line = `DATABASE_URL: no PostgreSQL answers at 127.0.0.1:${port} (Connection terminated unexpectedly). ${correct}`;
    await expect(waiting).rejects.toThrow(new RegExp(`^${line.replaceAll(/[().]/g, '\\$&')}$`));
    expect(counts).toEqual([1, 2, 3]);
    expect(tell.mock.calls).toEqual([[`${line} Trying for ${wait / 1000} s.`]]);
  });

  it('names the reason for a host with several addresses too', async () => {
    const tell = vi.fn();
    const waiting = waitForDatabase('postgresql://a:b@localhost:1/c', { trySeconds: -1, tell });
    await expect(waiting).rejects.toThrow(/ at localhost:1 \(connect ECONNREFUSED .*:1\)\./);
    expect(tell).not.toHaveBeenCalled();
  });

  it('does not wait for a server that answers and refuses us', async () => {
    const absent = databaseUrl.replace(/\/[^/]*$/, '/absent');
    await expect(waitForDatabase(absent)).rejects.toThrow(
      /^DATABASE_URL: PostgreSQL at .* cannot be used \(database "absent" does not exist\)\. Correct DATABASE_URL/,
    );
  });
});
