import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { systemErrorCode } from './run-error.ts';
import type { LogFiles } from './run-files.ts';
import type { LogChunk } from './runtime.ts';
import { firstText, lastBytes, textOf } from './utf8.ts';

const CHUNK_LIMIT_BYTES = 16 * 1024;
const READ_LIMIT_BYTES = 64 * 1024;
const END_LIMIT_BYTES = 16 * 1024;
const LOOK_MILLISECONDS = 250;

type StreamName = LogChunk['stream'];
const streams: readonly StreamName[] = ['STDOUT', 'STDERR'];

/**
 * One line of the journal: which bytes a piece of the log consists of, or how many pieces the server has. A piece is
 * written down before it is passed on, so that the next executor passes on the same piece under the same number.
 */
type Entry =
  | {
      readonly kind: 'PART';
      readonly stream: StreamName;
      readonly from: number;
      readonly to: number;
      readonly at: string;
    }
  | { readonly kind: 'CUT'; readonly stream: StreamName; readonly at: string }
  | { readonly kind: 'END'; readonly stream: StreamName; readonly at: string }
  | { readonly kind: 'STORED'; readonly count: number };

export interface FollowerOptions {
  readonly files: Readonly<Record<StreamName, LogFiles>>;
  /** The path of the journal; null keeps none. */
  readonly journal: string | null;
  /** How much of the output is passed on, from both streams together. */
  readonly limitBytes: number;
  readonly onLog: (chunk: LogChunk) => void;
}

/**
 * Passes on what a command prints, from the files of its two streams, without loss or repeat across executors.
 *
 * Text is passed on in chunks until the command has printed `limitBytes`. Then a note says so. When the command has
 * ended, the last 16 KiB of each stream follow.
 */
export class LogFollower {
  readonly #options: FollowerOptions;
  readonly #passed: Record<StreamName, number> = { STDOUT: 0, STDERR: 0 };
  readonly #ended = new Set<StreamName>();
  #sequence = 0;
  #keptBytes = 0;
  #isCut = false;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Passes on again what the server may not have, and then follows the files. */
  async begin(): Promise<void> {
    await this.#replay();
    this.#lookLater();
  }

  /** The server has the first `count` pieces. */
  stored(count: number): void {
    this.#note({ kind: 'STORED', count });
  }

  /** Passes on the rest, when the command has ended. */
  async finish(): Promise<void> {
    this.stop();
    await this.#looking;
    await this.#look(true);
    if (!this.#isCut) return;
    for (const stream of streams.filter((one) => !this.#ended.has(one))) {
      const text = await this.#omitted(stream);
      if (text === '') continue;
      const at = new Date();
      this.#note({ kind: 'END', stream, at: at.toISOString() });
      this.#emit(stream, text, at);
    }
  }

  /** Stops following. What is printed from now on is for the next executor. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The last 16 KiB of the output of a stream, when the command has ended. */
  async endOf(stream: StreamName): Promise<string> {
    return lastBytes(textOf(await this.#lastPart(stream, 0)), END_LIMIT_BYTES);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look(false)
        // The next look tries again.
        .catch(() => {})
        .finally(() => {
          if (this.#timer !== null && !this.#isCut) this.#lookLater();
        });
    }, LOOK_MILLISECONDS);
  }

  async #look(isEnd: boolean): Promise<void> {
    for (const stream of streams) {
      while (!this.#isCut && (await this.#take(stream, isEnd)));
    }
  }

  /** @returns whether there may be more. */
  async #take(stream: StreamName, isEnd: boolean): Promise<boolean> {
    const { beginning } = this.#options.files[stream];
    const bytes = await readPart(beginning, this.#passed[stream], READ_LIMIT_BYTES);
    const isLast = isEnd && bytes.length < READ_LIMIT_BYTES;
    let start = 0;
    while (start < bytes.length) {
      const rest = bytes.subarray(start);
      const piece = firstText(rest, Math.min(CHUNK_LIMIT_BYTES, this.#left), isLast);
      if (piece.length === 0) {
        // Either the limit is reached, or only a part of a character is there.
        if (firstText(rest, CHUNK_LIMIT_BYTES, isLast).length > 0) this.#cut(stream);
        break;
      }
      this.#pass(stream, piece);
      start += piece.length;
    }
    return start > 0 && bytes.length === READ_LIMIT_BYTES;
  }

  get #left(): number {
    return this.#options.limitBytes - this.#keptBytes;
  }

  #pass(stream: StreamName, { text, length }: { text: string; length: number }): void {
    const from = this.#passed[stream];
    const at = new Date();
    this.#note({ kind: 'PART', stream, from, to: from + length, at: at.toISOString() });
    this.#passed[stream] = from + length;
    this.#keptBytes += Buffer.byteLength(text);
    this.#emit(stream, text, at);
  }

  #cut(stream: StreamName): void {
    this.#isCut = true;
    const at = new Date();
    this.#note({ kind: 'CUT', stream, at: at.toISOString() });
    this.#emit(stream, this.#cutNote(), at, true);
  }

  #cutNote(): string {
    return `\n[truncated: the run printed more than ${this.#options.limitBytes} bytes]\n`;
  }

  /** The end of what was never passed on. */
  async #omitted(stream: StreamName): Promise<string> {
    return lastBytes(textOf(await this.#lastPart(stream, this.#passed[stream])), END_LIMIT_BYTES);
  }

  /** The last bytes of a stream that come after this position. */
  async #lastPart(stream: StreamName, from: number): Promise<Buffer> {
    const { beginning, end } = this.#options.files[stream];
    const last = await readPart(end, 0, END_LIMIT_BYTES);
    const before = await readEnd(beginning, from, END_LIMIT_BYTES);
    return Buffer.concat([before, last]);
  }

  #emit(stream: StreamName, text: string, at: Date, isCut = false): void {
    const sequence = this.#sequence;
    this.#sequence += 1;
    this.#options.onLog({ stream, sequence, text, isCut, at });
  }

  #note(entry: Entry): void {
    if (this.#options.journal !== null)
      appendFileSync(this.#options.journal, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  async #replay(): Promise<void> {
    const entries = this.#options.journal === null ? [] : readJournal(this.#options.journal);
    const stored = Math.max(0, ...entries.map((entry) => (entry.kind === 'STORED' ? entry.count : 0)));
    for (const entry of entries) {
      if (entry.kind === 'STORED') continue;
      const text = await this.#textOf(entry);
      if (entry.kind === 'PART') {
        this.#passed[entry.stream] = entry.to;
        this.#keptBytes += Buffer.byteLength(text);
      } else if (entry.kind === 'CUT') this.#isCut = true;
      else this.#ended.add(entry.stream);
      if (this.#sequence < stored) this.#sequence += 1;
      else this.#emit(entry.stream, text, new Date(entry.at), entry.kind === 'CUT');
    }
  }

  async #textOf(entry: Exclude<Entry, { kind: 'STORED' }>): Promise<string> {
    if (entry.kind === 'CUT') return this.#cutNote();
    if (entry.kind === 'END') return await this.#omitted(entry.stream);
    const { beginning } = this.#options.files[entry.stream];
    return textOf(await readPart(beginning, entry.from, entry.to - entry.from));
  }
}

/** The lines of the journal. A last line that is not complete was not passed on yet: it is removed. */
function readJournal(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  if (complete !== text) truncateSync(path, Buffer.byteLength(complete));
  return complete
    .split('\n')
    .slice(0, -1)
    .map((line): Entry => JSON.parse(line));
}

/** Empty if there is no such file. */
async function readPart(path: string, from: number, limit: number): Promise<Buffer> {
  return await withFile(path, async (file) => {
    const buffer = Buffer.alloc(limit);
    let length = 0;
    while (length < limit) {
      const { bytesRead } = await file.read(buffer, length, limit - length, from + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  });
}

async function readEnd(path: string, from: number, limit: number): Promise<Buffer> {
  const size = await withFile(path, async (file) => (await file.stat()).size);
  return typeof size === 'number' ? await readPart(path, Math.max(from, size - limit), limit) : size;
}

async function withFile<T>(
  path: string,
  use: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T | Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
