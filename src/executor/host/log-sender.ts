import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { reportRunLogDocument } from './documents.ts';
import type { LogChunk } from './runtime.ts';

const BATCH_CHUNKS = 100;
const BATCH_BYTES = 256 * 1024;

/**
 * Sends the output of one run in order, with one call at a time. New output during a call is sent with the next one.
 * The runtime limits the output of a run, so the memory is limited too.
 */
export class LogSender {
  readonly #client: ApiClient;
  readonly #runId: string;
  readonly #log: Log;
  readonly #onStored: (count: number) => void;
  readonly #end = new AbortController();
  readonly #queue: LogChunk[] = [];
  #sending: Promise<void> | null = null;

  /** @param onStored  called with the number of chunks that need not be sent again. */
  constructor(client: ApiClient, runId: string, log: Log, onStored: (count: number) => void = () => {}) {
    this.#client = client;
    this.#runId = runId;
    this.#log = log;
    this.#onStored = onStored;
  }

  add(chunk: LogChunk): void {
    if (this.#end.signal.aborted) return;
    this.#queue.push(chunk);
    this.#sending ??= this.#send();
  }

  /** Waits until everything so far is stored, but at most `limitMs`. Sending continues in any case. */
  async settle(limitMs: number): Promise<void> {
    if (!this.#sending) return;
    const timer = new AbortController();
    const limit = sleep(limitMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([this.#sending, limit]);
    timer.abort();
  }

  /** Stops sending. Output that is not stored yet is for the next executor, if the run continues. */
  close(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    if (this.#queue.length > 0)
      this.#log.warn({ chunks: this.#queue.length }, 'the log of the run is incomplete');
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0 && !this.#end.signal.aborted) {
      const count = this.#countOfBatch();
      const chunks = this.#queue
        .slice(0, count)
        .map(({ at, ...chunk }) => ({ ...chunk, printedAt: at.toISOString() }));
      try {
        const variables = { input: { run: this.#runId, chunks } };
        const answer = await this.#client.insist(reportRunLogDocument, variables, {
          signal: this.#end.signal,
        });
        payloadOf(answer.reportRunLog, 'ReportRunLogPayload');
      } catch (error) {
        if (this.#end.signal.aborted) break;
        // This part is refused for good, but the rest may be accepted.
        this.#log.warn({ err: error, chunks: count }, 'the server refused the log of the run');
      }
      this.#queue.splice(0, count);
      this.#onStored((chunks.at(-1)?.sequence ?? 0) + 1);
    }
    this.#sending = null;
  }

  /** How many chunks are in the next call: at least one. */
  #countOfBatch(): number {
    let bytes = 0;
    const over = this.#queue.findIndex((chunk, index) => {
      bytes += Buffer.byteLength(chunk.text);
      return index > 0 && (index >= BATCH_CHUNKS || bytes > BATCH_BYTES);
    });
    return over === -1 ? this.#queue.length : over;
  }
}
