/** What the command line writes, for people and for programs. */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/cli-error.ts';
import { formatted, formattedError, Progress } from '../../src/cli/output.ts';
import type { ErrorCode } from '../../src/platform/errors.ts';

const rows = [
  { kind: 'task', name: 'a', note: 'kept' },
  { kind: 'launch plan', name: 'long-name' },
];
const columns = ['kind', 'name', 'note'] as const;
const inFormat = (format: 'table' | 'json' | 'yaml', isTerminal = true) =>
  formatted<{ kind: string; name: string; note?: string }>(rows, columns, format, isTerminal);

describe('data', () => {
  it('is a table with aligned columns on a terminal', () => {
    expect(inFormat('table')).toBe(
      'KIND         NAME       NOTE\ntask         a          kept\nlaunch plan  long-name\n',
    );
  });

  it('has tabs between the columns, and no titles, where no terminal shows it', () => {
    expect(inFormat('table', false)).toBe('task\ta\tkept\nlaunch plan\tlong-name\t\n');
  });

  it('is JSON with an indent of two, or YAML', () => {
    expect(inFormat('json')).toBe(`${JSON.stringify(rows, null, 2)}\n`);
    expect(inFormat('yaml')).toBe(
      '- kind: task\n  name: a\n  note: kept\n- kind: launch plan\n  name: long-name\n',
    );
  });

  it('cannot change what the terminal shows', () => {
    const [row] = formatted([{ name: 'a\u001b[2J\u202eb' }], ['name'], 'table', false).split('\n');
    expect(row).toBe('a�[2J�b');
  });
});

describe('an error', () => {
  const error = new CliError('NOT_FOUND', 'not here', { problems: ['a: b'], hint: 'look there' });

  it('has one line for each part, as JSON if data is for programs', () => {
    expect(formattedError(error, 'table')).toBe('slipway: not here\n  a: b\nhint: look there\n');
    for (const format of ['json', 'yaml'] as const)
      expect(JSON.parse(formattedError(error, format))).toEqual({
        error: { code: 'NOT_FOUND', message: 'not here', problems: ['a: b'], hint: 'look there' },
      });
  });

  it.each<[code: ErrorCode, exitCode: number]>([
    ['INTERNAL', 1],
    ['UNIMPLEMENTED', 1],
    ['INVALID_ARGUMENT', 2],
    ['NOT_FOUND', 3],
    ['UNAUTHENTICATED', 4],
    ['PERMISSION_DENIED', 5],
    ['ALREADY_EXISTS', 6],
    ['FAILED_PRECONDITION', 6],
    ['ABORTED', 6],
    ['UNAVAILABLE', 7],
    ['DEADLINE_EXCEEDED', 7],
    ['RESOURCE_EXHAUSTED', 10],
  ])('with the code %s ends the process with %i', (code, exitCode) => {
    expect(new CliError(code, 'no').exitCode).toBe(exitCode);
    expect(new CliError(code, 'no', { exitCode: 99 }).exitCode).toBe(99);
  });
});

describe('progress', () => {
  const shown = (isTTY: boolean, text: string) => {
    let written = '';
    const err = new Writable({
      write(chunk, _encoding, done) {
        written += chunk;
        done();
      },
    });
    const progress = new Progress(Object.assign(err, { isTTY }));
    progress.show(1, 20, text);
    progress.end();
    return written;
  };

  it('is one line for each step', () => {
    expect(shown(false, 'x'.repeat(100))).toBe(`[1/20] ${'x'.repeat(100)}\n`);
  });

  it('on a terminal is one line of at most 79 characters, which goes in the end', () => {
    const start = '\r\u001b[K';
    const line = (length: number) => `[1/20] ${'x'.repeat(length - '[1/20] '.length)}`;
    const text = (length: number) => line(length).slice('[1/20] '.length);
    expect(shown(true, text(79))).toBe(`${start}${line(79)}${start}`);
    expect(shown(true, text(80))).toBe(`${start}${line(79)}${start}`);
  });
});
