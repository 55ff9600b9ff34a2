import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/executor/host/api-error.ts';
import type { ApiClient } from '../../src/executor/host/client.ts';
import { LogSender } from '../../src/executor/host/log-sender.ts';
import { waitUntil } from './fixture.ts';

type Chunks = readonly { readonly text: string; readonly sequence: number; readonly printedAt: string }[];

/** A sender whose calls wait until the test answers them. */
function start() {
  const lines: string[] = [];
  const calls: { chunks: Chunks; answer(error?: Error): void }[] = [];
  const insist = (_document: unknown, variables: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      calls.push({
        chunks: (variables as { input: { chunks: Chunks } }).input.chunks,
        answer: (error) =>
          error ? reject(error) : resolve({ reportRunLog: { __typename: 'ReportRunLogPayload', stored: 1 } }),
      });
    });
  const client = { insist } as unknown as ApiClient;
  const logs = new LogSender(client, 'run', pino({}, { write: (line: string) => lines.push(line) }));
  let sequence = 0;
  return {
    ...{ logs, calls, lines },
    print: (...texts: string[]) => {
      for (const text of texts) {
        logs.add({ stream: 'STDOUT', sequence, text, at: new Date(sequence) });
        sequence += 1;
      }
    },
    /** The texts of the call with this number, from 0, after it was made. */
    texts: async (number: number) => {
      await waitUntil(() => calls.length > number, `call ${number} was made`);
      return calls[number]?.chunks.map(({ text }) => text);
    },
  };
}

const KIB = 1024;

describe('the log of a run', () => {
  it('is sent in order, with one call at a time', async () => {
    const { logs, calls, lines, print, texts } = start();
    print('one');
    expect(await texts(0)).toEqual(['one']);
    print('two', 'three');
    calls[0]?.answer();
    expect(await texts(1)).toEqual(['two', 'three']);
    expect(calls[1]?.chunks[1]).toMatchObject({ sequence: 2, printedAt: new Date(2).toISOString() });
    calls[1]?.answer();
    await logs.settle(100_000);
    print('four');
    expect(await texts(2)).toEqual(['four']);
    calls[2]?.answer();
    await logs.settle(100_000);
    logs.close();
    expect([calls.length, lines]).toEqual([3, []]);
  });

  it('goes in calls of at most 100 pieces', async () => {
    const { calls, print, texts } = start();
    print('first', ...Array(250).fill('x'));
    calls[0]?.answer();
    expect(await texts(1)).toHaveLength(100);
    calls[1]?.answer();
    expect(await texts(2)).toHaveLength(100);
    calls[2]?.answer();
    expect(await texts(3)).toHaveLength(50);
    calls[3]?.answer();
  });

  it('goes in calls of at most 256 KiB, or of one larger piece', async () => {
    const { calls, print, texts } = start();
    const [half, large] = ['é'.repeat(64 * KIB), 'x'.repeat(300 * KIB)];
    print('first', half, half, 'x', large, 'end');
    calls[0]?.answer();
    expect(await texts(1)).toEqual([half, half]);
    calls[1]?.answer();
    expect(await texts(2)).toEqual(['x']);
    calls[2]?.answer();
    expect(await texts(3)).toEqual([large]);
    calls[3]?.answer();
    expect(await texts(4)).toEqual(['end']);
    calls[4]?.answer();
  });

  it('is not sent any further after it was closed, also if the last call was answered', async () => {
    const { logs, calls, print, texts } = start();
    print('one');
    expect(await texts(0)).toEqual(['one']);
    print('two');
    calls[0]?.answer();
    logs.close();
    await logs.settle(100_000);
    expect(calls).toHaveLength(1);
  });

  it('continues after a part that the server refuses', async () => {
    const { logs, calls, lines, print, texts } = start();
    print('bad');
    print('good');
    calls[0]?.answer(new ApiError('INVALID_ARGUMENT', 'bad'));
    expect(await texts(1)).toEqual(['good']);
    calls[1]?.answer();
    await logs.settle(100_000);
    logs.close();
    expect(lines).toEqual([expect.stringContaining('the server refused the log of the run')]);
  });

  it('says that it is incomplete when it is closed before all was sent, and takes nothing more', async () => {
    const { logs, calls, lines, print } = start();
    print('one', 'two');
    await logs.settle(1);
    logs.close();
    print('three');
    await logs.settle(100_000);
    expect(calls).toHaveLength(1);
    expect(lines).toEqual([expect.stringContaining('the log of the run is incomplete')]);
  });
});
