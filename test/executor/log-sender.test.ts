import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/executor/host/api-error.ts';
import type { ApiClient } from '../../src/executor/host/client.ts';
import { LogSender } from '../../src/executor/host/log-sender.ts';
import { stopClocks } from '../support/clock.ts';
import { waitUntil } from './fixture.ts';

type Chunks = readonly { readonly text: string; readonly sequence: number; readonly printedAt: string }[];

/** A sender whose calls wait until the test answers them. */
function start() {
  const lines: string[] = [];
  const calls: { chunks: Chunks; isComplete: boolean; answer(error?: Error): void }[] = [];
  const insist = (_document: unknown, variables: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      calls.push({
        ...(variables as { input: { chunks: Chunks; isComplete: boolean } }).input,
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
        logs.add({ stream: 'STDOUT', sequence, text, isCut: false, at: new Date(sequence) });
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
/** Lets everything happen that needs no timer. */
const turn = () => new Promise(setImmediate);

describe('the log of a run', () => {
  it('is sent in order, with one call at a time', async () => {
    const { logs, calls, lines, print, texts } = start();
    print('one');
    expect(await texts(0)).toEqual(['one']);
    print('two', 'three');
    calls[0]?.answer();
    const settled = logs.settle(100_000);
    expect(await texts(1)).toEqual(['two', 'three']);
    expect(calls[1]?.chunks[1]).toMatchObject({ sequence: 2, printedAt: new Date(2).toISOString() });
    calls[1]?.answer();
    await settled;
    print('four');
    expect(await texts(2)).toEqual(['four']);
    calls[2]?.answer();
    await logs.settle(100_000);
    logs.close();
    expect([calls.length, lines]).toEqual([3, []]);
  });

  it('goes in calls of at most 100 pieces', async () => {
    const { logs, calls, print, texts } = start();
    print('first', ...Array(250).fill('x'));
    void logs.settle(100_000);
    calls[0]?.answer();
    expect(await texts(1)).toHaveLength(100);
    calls[1]?.answer();
    expect(await texts(2)).toHaveLength(100);
    calls[2]?.answer();
    expect(await texts(3)).toHaveLength(50);
    calls[3]?.answer();
  });

  it('goes in calls of at most 256 KiB, or of one larger piece', async () => {
    const { logs, calls, print, texts } = start();
    void logs.settle(100_000);
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
    void logs.settle(100_000);
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

  it('is sent at most once a second while the run goes on', async () => {
    stopClocks('setTimeout', 'clearTimeout', 'performance');
    const { calls, print } = start();
    print('one');
    await turn();
    calls[0]?.answer();
    await turn();
    vi.advanceTimersByTime(400);
    print('two');
    print('three');
    vi.advanceTimersByTime(599);
    await turn();
    expect(calls).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await turn();
    expect(calls[1]?.chunks.map(({ text }) => text)).toEqual(['two', 'three']);
    calls[1]?.answer();
    await turn();
    vi.advanceTimersByTime(1000);
    print('four');
    await turn();
    expect(calls).toHaveLength(3);
  });

  it('is sent at once when a call is full, and when nobody wants to wait', async () => {
    stopClocks('setTimeout', 'clearTimeout', 'performance');
    const { logs, calls, print } = start();
    print('one');
    await turn();
    calls[0]?.answer();
    await turn();
    print(...Array(100).fill('x'));
    await turn();
    expect(calls).toHaveLength(1);
    print('x');
    await turn();
    expect(calls).toHaveLength(2);
    calls[1]?.answer();
    await turn();
    expect(calls).toHaveLength(2);
    void logs.settle(100_000);
    await turn();
    expect(calls[2]?.chunks).toHaveLength(1);
  });

  it('is said to be complete with its last piece, or alone if all pieces were sent before', async () => {
    const { logs, calls, print, texts } = start();
    print('one');
    expect(await texts(0)).toEqual(['one']);
    expect(calls[0]?.isComplete).toBe(false);
    print('two');
    logs.complete();
    calls[0]?.answer();
    expect(await texts(1)).toEqual(['two']);
    expect(calls[1]?.isComplete).toBe(true);
    calls[1]?.answer();
    await logs.settle(100_000);
    expect(calls).toHaveLength(2);

    const silent = start();
    silent.logs.complete();
    expect(await silent.texts(0)).toEqual([]);
    expect(silent.calls[0]?.isComplete).toBe(true);
    silent.calls[0]?.answer();
    await silent.logs.settle(100_000);
    expect(silent.calls).toHaveLength(1);
  });
});
