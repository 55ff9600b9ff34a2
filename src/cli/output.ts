import { stringify } from 'yaml';
import type { CliError } from './cli-error.ts';

export const outputFormats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Where a command writes: data to `out`, and all else to `err`. */
export interface Streams {
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Data for people or for programs. A table has the columns only, and tabs between them if no terminal shows it. */
export function formatted<Row extends object>(
  rows: readonly Row[],
  columns: readonly (keyof Row & string)[],
  format: OutputFormat,
  isTerminal: boolean,
): string {
  if (format === 'json') return `${JSON.stringify(rows, null, 2)}\n`;
  if (format === 'yaml') return stringify(rows);
  const cells = rows.map((row) => columns.map((column) => printable(String(row[column] ?? ''))));
  if (!isTerminal) return cells.map((line) => `${line.join('\t')}\n`).join('');
  const lines = [columns.map((column) => column.toUpperCase()), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Names come from packages and servers, and must not change what the terminal shows. */
export const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]/gu, '�');

export function formattedError(error: CliError, format: OutputFormat): string {
  const { code, message, problems, hint } = error;
  if (format !== 'table') return `${JSON.stringify({ error: { code, message, problems, hint } })}\n`;
  const lines = [
    `slipway: ${message}`,
    ...problems.map((problem) => `  ${problem}`),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** One line for each step; on a terminal, each line takes the place of the one before. */
export class Progress {
  readonly #err: Streams['err'];

  constructor(err: Streams['err']) {
    this.#err = err;
  }

  show(done: number, all: number, text: string): void {
    const line = `[${done}/${all}] ${printable(text)}`;
    this.#err.write(this.#err.isTTY ? `\r\u001b[K${line.slice(0, 79)}` : `${line}\n`);
  }

  /** Leaves the terminal's line to what follows. */
  end(): void {
    if (this.#err.isTTY) this.#err.write('\r\u001b[K');
  }
}
