import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { reportRunLogDocument } from './documents.ts';
import type { LogChunk } from './runtime.ts';

const BATCH_CHUNKS = 100;
const BATCH_BYTES = 256 * 1024;
/** Calls begin at most this often, unless a call is full or the run ends. */
const SEND_EVERY_MS = 1000;

/**
 * Sends the output of one run in order while it runs, with one call at a time. New output during a call, and in the
 * second after its beginning, is sent with the next one. The runtime limits the output of a run, so the memory is limited
 * too.
 */
export class LogSender {
  readonly #client: ApiClient;
  readonly #runId: string;
  readonly #log: Log;
  readonly #onStored: (count: number) => void;
  readonly #end = new AbortController();
  readonly #queue: LogChunk[] = [];
  #sending: Promise<void> | null = null;
  /** When the last call began. */
  #beganAt = Number.NEGATIVE_INFINITY;
  /** Whether nobody wants to wait any more. */
  #isHurried = false;
  #endPause: (() => void) | null = null;
  /** Whether nothing is added any more. */
  #isComplete = false;

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
    if (this.#isFull) this.#endPause?.();
    this.#sending ??= this.#send();
  }

  /** Tells the server that nothing more comes, so that those who watch the log do not wait for more. */
  complete(): void {
    if (this.#end.signal.aborted) return;
    this.#isComplete = true;
    this.#hurry();
    this.#sending ??= this.#send();
  }

  /** Waits until everything so far is stored, but at most `limitMs`. Sending continues in any case. */
  async settle(limitMs: number): Promise<void> {
    this.#hurry();
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
    this.#endPause?.();
    if (this.#queue.length > 0)
      this.#log.warn({ chunks: this.#queue.length }, 'the log of the run is incomplete');
  }

  async #send(): Promise<void> {
    let isTold = false;
    while ((this.#queue.length > 0 || (this.#isComplete && !isTold)) && !this.#end.signal.aborted) {
      const leftMs = this.#beganAt + SEND_EVERY_MS - performance.now();
      if (leftMs > 0 && !this.#isHurried && !this.#isFull) await this.#pause(leftMs);
      if (this.#end.signal.aborted) break;
      const count = this.#countOfBatch();
      const chunks = this.#queue
        .slice(0, count)
        .map(({ at, ...chunk }) => ({ ...chunk, printedAt: at.toISOString() }));
      const isComplete = this.#isComplete && count === this.#queue.length;
      this.#beganAt = performance.now();
      try {
        const variables = { input: { run: this.#runId, chunks, isComplete } };
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
      isTold = isComplete;
      const last = chunks.at(-1);
      if (last) this.#onStored(last.sequence + 1);
    }
    this.#sending = null;
  }

  get #isFull(): boolean {
    return this.#countOfBatch() < this.#queue.length;
  }

  #hurry(): void {
    this.#isHurried = true;
    this.#endPause?.();
  }

  /** Waits so long, or until there is a reason to send earlier. */
  async #pause(leftMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = null;
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
