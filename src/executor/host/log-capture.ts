import type { Readable } from 'node:stream';
import type { LogChunk } from './runtime.ts';
import { firstBytes, lastBytes, withoutNul } from './utf8.ts';

const CHUNK_LIMIT_BYTES = 16 * 1024;
const TAIL_LIMIT_BYTES = 16 * 1024;
const FLUSH_MILLISECONDS = 250;

type StreamName = LogChunk['stream'];

/** What one stream has printed and not yet handed on. */
interface StreamState {
  readonly name: StreamName;
  readonly decoder: InstanceType<typeof TextDecoder>;
  pending: string;
  pendingSince: Date;
  /** The last that was printed, kept apart from what was handed on. */
  tail: string;
  /** How much of `tail` was never handed on, in bytes; may be more than the tail itself. */
  omittedBytes: number;
}

/**
 * Keeps what a run prints within bounds, in memory and in all.
 *
 * Text is handed on in chunks until the run has printed `limitBytes`. Then one note says so, the rest is read and
 * dropped (a blocked pipe would stop the command), and at the end the last 16 KiB of each stream follow.
 */
export class LogCapture {
  readonly #onLog: (chunk: LogChunk) => void;
  readonly #limitBytes: number;
  readonly #streams: StreamState[] = [];
  readonly #ends: Promise<void>[] = [];
  readonly #sources: Readable[] = [];
  #sequence = 0;
  #keptBytes = 0;
  #truncated = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(onLog: (chunk: LogChunk) => void, limitBytes: number) {
    this.#onLog = onLog;
    this.#limitBytes = limitBytes;
  }

  /** Reads a stream from now on; its bytes are UTF-8, and what is not becomes U+FFFD. */
  follow(name: StreamName, source: Readable): void {
    const stream: StreamState = {
      name,
      decoder: new TextDecoder('utf-8', { ignoreBOM: true }),
      pending: '',
      pendingSince: new Date(),
      tail: '',
      omittedBytes: 0,
    };
    this.#streams.push(stream);
    this.#sources.push(source);
    source.on('data', (bytes: Buffer) => this.#take(stream, stream.decoder.decode(bytes, { stream: true })));
    this.#ends.push(
      new Promise((resolve) => {
        source.once('close', () => {
          this.#take(stream, stream.decoder.decode());
          resolve();
        });
        // A failing pipe reads like one that ended: what it had printed is kept.
        source.once('error', () => source.destroy());
      }),
    );
  }

  /** The last that a stream printed, at most `limitBytes` of it. */
  tailOf(name: StreamName, limitBytes: number): string {
    const stream = this.#streams.find((candidate) => candidate.name === name);
    return stream === undefined ? '' : lastBytes(stream.tail, limitBytes);
  }

  /** Hands on the rest. A stream that some stray process still holds open after `waitMilliseconds` is closed. */
  async finish(waitMilliseconds: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const source of this.#sources) source.destroy();
    }, waitMilliseconds);
    await Promise.all(this.#ends);
    clearTimeout(timer);
    this.#flush();
    for (const stream of this.#streams) {
      const omitted = lastBytes(stream.tail, Math.min(stream.omittedBytes, TAIL_LIMIT_BYTES));
      if (omitted !== '') this.#emit(stream.name, omitted, new Date());
    }
  }

  #take(stream: StreamState, raw: string): void {
    if (raw === '') return;
    const text = withoutNul(raw);
    stream.tail = lastBytes(stream.tail + text, TAIL_LIMIT_BYTES);
    if (this.#truncated) {
      stream.omittedBytes += Buffer.byteLength(text);
      return;
    }
    const kept = firstBytes(text, this.#limitBytes - this.#keptBytes);
    this.#keptBytes += Buffer.byteLength(kept);
    this.#append(stream, kept);
    if (kept.length < text.length) {
      this.#truncated = true;
      stream.omittedBytes = Buffer.byteLength(text) - Buffer.byteLength(kept);
      this.#flush();
      this.#emit(
        stream.name,
        `\n[truncated: the run printed more than ${this.#limitBytes} bytes]\n`,
        new Date(),
      );
    }
  }

  #append(stream: StreamState, text: string): void {
    if (text === '') return;
    if (stream.pending === '') stream.pendingSince = new Date();
    stream.pending += text;
    while (Buffer.byteLength(stream.pending) >= CHUNK_LIMIT_BYTES) {
      const chunk = firstBytes(stream.pending, CHUNK_LIMIT_BYTES);
      stream.pending = stream.pending.slice(chunk.length);
      this.#emit(stream.name, chunk, stream.pendingSince);
      stream.pendingSince = new Date();
    }
    if (stream.pending !== '') this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MILLISECONDS);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const stream of this.#streams) {
      if (stream.pending === '') continue;
      this.#emit(stream.name, stream.pending, stream.pendingSince);
      stream.pending = '';
    }
  }

  #emit(stream: StreamName, text: string, at: Date): void {
    this.#onLog({ stream, sequence: this.#sequence, text, at });
    this.#sequence += 1;
  }
}
