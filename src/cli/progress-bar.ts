import type { Streams } from './output.ts';

const WIDTH = 30;
const REDRAW_MS = 100;
/** Where no terminal shows it, one line for each tenth. */
const PARTS = 10;

/** How far one step is, with its rate: a bar on a terminal, and a few plain lines elsewhere. */
export class ProgressBar {
  readonly #err: Streams['err'];
  readonly #name: string;
  readonly #all: number;
  readonly #began = performance.now();
  #done = 0;
  #drawnAt = 0;
  #part = 0;

  constructor(err: Streams['err'], name: string, all: number) {
    this.#err = err;
    this.#name = name;
    this.#all = all;
  }

  add(count: number): void {
    this.#done += count;
    const part = Math.floor((PARTS * this.#done) / this.#all);
    if (!this.#err.isTTY) {
      if (part > this.#part) this.#err.write(`${this.#text()}\n`);
      this.#part = part;
      return;
    }
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS && this.#done < this.#all) return;
    this.#drawnAt = now;
    const filled = Math.min(Math.floor((WIDTH * this.#done) / this.#all), WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
    this.#err.write(`\r\u001b[K${bar} ${this.#text()}`);
  }

  /** Leaves the line of the terminal to what follows. */
  end(): void {
    if (this.#err.isTTY && this.#drawnAt > 0) this.#err.write('\n');
  }

  #text(): string {
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = Math.round(this.#done / Math.max(seconds, 0.001));
    return `${this.#name} ${this.#done}/${this.#all} · ${rate}/s`;
  }
}
