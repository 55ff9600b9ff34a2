import type { Readable } from 'node:stream';
import type { LogChunk } from './runtime.ts';
import { firstBytes, lastBytes, withoutNul } from './utf8.ts';

const CHUNK_LIMIT_BYTES = 16 * 1024;
const TAIL_LIMIT_BYTES = 16 * 1024;
const FLUSH_MILLISECONDS = 250;

type StreamName = LogChunk['stream'];

/** What one stream has printed and was not passed on yet. */
interface StreamState {
  readonly name: StreamName;
  readonly decoder: InstanceType<typeof TextDecoder>;
  pending: string;
  pendingSince: Date;
  /** The last part of the output. It is kept even if it was passed on. */
  tail: string;
  /** How many bytes at the end were never passed on. This can be more than the length of `tail`. */
  omittedBytes: number;
}

/**
 * Limits the output of a run, both in memory and in total.
 *
 * Text is passed on in chunks until the run has printed `limitBytes`. Then a note says so, and the rest is read and
 * ignored, because a full pipe would block the command. At the end, the last 16 KiB of each stream follow.
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

  /** Reads a stream from now on. Its bytes are UTF-8; invalid bytes become U+FFFD. */
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
        // A pipe that fails is treated like one that ended: what it has printed counts.
        source.once('error', () => source.destroy());
      }),
    );
  }

  /** The last 16 KiB of the output of a stream. */
  tailOf(name: StreamName): string {
    return this.#streams.find((candidate) => candidate.name === name)?.tail ?? '';
  }

  /**
   * Passes on the rest. If another process still holds a stream open after `waitMilliseconds`, the stream is closed.
   */
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
