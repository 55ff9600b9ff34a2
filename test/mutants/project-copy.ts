/** A copy of the project, in which the source is broken and the tests run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAX_MINUTES = 20;
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const root = join(modules, '..');

export interface Failure {
  readonly file: string;
  readonly test: string;
}

/** What git knows and what is generated, with the same packages. The copy goes when this process ends. */
export function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'slipway-mutants-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const known = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const name of [...known, 'src/generated', 'test/generated', 'dist'])
    if (name && existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(modules, join(copy, 'node_modules'));
  return copy;
}

/** Runs `work` while one file of the copy has another text. */
export function withFile<Result>(
  copy: string,
  file: string,
  change: (text: string) => string,
  work: () => Result,
): Result {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, change(text));
  try {
    return work();
  } finally {
    writeFileSync(path, text);
  }
}

export function compiles(copy: string): boolean {
  const tsc = join(modules, 'typescript/bin/tsc');
  return spawnSync(process.execPath, [tsc, '--noEmit'], { cwd: copy, stdio: 'ignore' }).status === 0;
}

/** Runs the tests whose names contain one of `filters` (none: all). @returns those that failed. */
export function failuresOf(
  copy: string,
  filters: readonly string[],
  { config = 'test/vitest.config.ts', bail = 1 } = {},
): Failure[] {
  const report = join(copy, 'results.json');
  rmSync(report, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(modules, 'vitest/vitest.mjs'),
      'run',
      ...['--config', config, `--bail=${bail}`, '--reporter=json', `--outputFile=${report}`],
      ...filters,
    ],
    { cwd: copy, stdio: 'ignore', timeout: MAX_MINUTES * 60_000 },
  );
  if (status === 0) return [];
  if (!existsSync(report)) return [{ file: '', test: `no end within ${MAX_MINUTES} minutes` }];
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  return testResults
    .filter((one) => one.status === 'failed')
    .map(({ name, assertionResults }) => {
      const file = relative(copy, name);
      const test = assertionResults.find((one) => one.status === 'failed');
      return { file, test: `${file} › ${test?.fullName ?? 'the file itself'}` };
    });
}
