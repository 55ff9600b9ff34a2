/** Which test files run the code of a mutant: the others cannot notice it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from './edits.ts';
import { type Failure, failuresOf, withFile } from './project-copy.ts';

export interface Reach {
  /** By the place of the mutant: the test files that run its function, or, outside of functions, load its file. */
  readonly filesOf: ReadonlyMap<number, ReadonlySet<string>>;
  /** What failed although nothing was broken. */
  readonly failures: readonly Failure[];
}

/** Runs all tests with a mark at each mutant. The processes of `end-to-end` are their own, so nothing is found there. */
export function reachOf(copy: string, mutants: readonly Mutant[]): Reach {
  const found = join(copy, 'reached.jsonl');
  writeFileSync(join(copy, 'test/mutants/record.ts'), recorder(found));
  writeFileSync(join(copy, 'test/mutants/vitest.config.ts'), config);
  const options = { config: 'test/mutants/vitest.config.ts', bail: 0 };
  const failures = marked(copy, mutants, () => failuresOf(copy, [], options));
  const filesOf = new Map(mutants.map((_, place) => [place, new Set<string>()]));
  const lines = existsSync(found) ? readFileSync(found, 'utf8').trim().split('\n') : [];
  for (const line of lines) {
    const { file, places } = JSON.parse(line) as { file: string; places: number[] };
    for (const place of places) filesOf.get(place)?.add(file);
  }
  return { filesOf, failures };
}

/** Runs `work` while each mutant's function says that it runs. */
function marked<Result>(copy: string, mutants: readonly Mutant[], work: () => Result): Result {
  const files = [...new Set(mutants.map(({ file }) => file))];
  const run = files.reduceRight<() => Result>((next, file) => {
    const marks = mutants.flatMap((mutant, place) => (mutant.file === file ? marksOf(mutant, place) : []));
    return () => withFile(copy, file, (text) => withMarks(text, marks), next);
  }, work);
  return run();
}

interface Mark {
  readonly at: number;
  readonly text: string;
}

function marksOf({ body }: Mutant, place: number): Mark[] {
  const mark = `globalThis.reachedMutants?.add(${place})`;
  if (!body) return [{ at: Number.POSITIVE_INFINITY, text: `\n;${mark};` }];
  if (!body.isExpression) return [{ at: body.start + 1, text: `${mark};` }];
  return [
    { at: body.start, text: `(${mark}, ` },
    { at: body.end, text: ')' },
  ];
}

function withMarks(source: string, marks: readonly Mark[]): string {
  const fromTheEnd = marks
    .map(({ at, text }) => ({ at: Math.min(at, source.length), text }))
    .sort((a, b) => b.at - a.at);
  return fromTheEnd.reduce((text, mark) => text.slice(0, mark.at) + mark.text + text.slice(mark.at), source);
}

const recorder = (found: string) => `
import { appendFileSync } from 'node:fs';
import { afterAll, expect } from 'vitest';
const reached = new Set();
globalThis.reachedMutants = reached;
const file = expect.getState().testPath.slice(process.cwd().length + 1);
afterAll(() => appendFileSync(${JSON.stringify(found)}, JSON.stringify({ file, places: [...reached] }) + '\\n'));
`;

const config = `
import { mergeConfig } from 'vitest/config';
import config from '../vitest.config.ts';
export default mergeConfig({ test: { setupFiles: ['test/mutants/record.ts'] } }, config);
`;
