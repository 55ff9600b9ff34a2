/**
 * Breaks rules, filters, bounds and defaults of the source, one at a time, and tells which of these mutants no test
 * notices.
 *
 *   npm run test:mutants -- [--seed N] [--count N] [--skip N] [--only PATH] [--list]
 *
 * It draws `count` mutants (30), as many of each kind, by `seed` (1): the same seed on the same source draws the same.
 * What does not compile is no mutant, and another is drawn. All tests run once, to find which of them run the code of
 * which mutant. Then each mutant is applied to a copy of the project, and those tests run, the ones in the mutant's own
 * folder first and those of `end-to-end` last, up to the first that fails, also when its file runs alone. `--skip`
 * leaves out the first ones, to go on with a series; `--only` draws from one folder or file; `--list` only shows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describe, draw, type Mutant, mutantsOf } from './edits.ts';
import { compiles, copyProject, failuresOf, withFile } from './project-copy.ts';
import { reachOf } from './reach.ts';

const MAX_TRIES = 3;
const root = fileURLToPath(new URL('../..', import.meta.url));

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '30' },
    skip: { type: 'string', default: '0' },
    only: { type: 'string', default: 'src' },
    list: { type: 'boolean', default: false },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);
const sourceOf = (file: string) => readFileSync(join(root, file), 'utf8');

/** Runs `work` while the mutant is applied. */
function broken<Result>(copy: string, { file, start, end, instead }: Mutant, work: () => Result): Result {
  return withFile(copy, file, (text) => text.slice(0, start) + instead + text.slice(end), work);
}

/**
 * The first failure that comes again when its file runs alone: a failure that does not come again is not the mutant's.
 */
function firstLastingFailure(copy: string, filters: readonly string[]): string | null {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const [failure] = failuresOf(copy, filters);
    if (!failure?.file || failuresOf(copy, [failure.file]).length > 0) return failure?.test ?? null;
  }
  return null;
}

/** Which test notices the mutant, or null. */
function noticedBy(
  copy: string,
  mutant: Mutant,
  testFiles: readonly string[],
  endToEnd: readonly string[],
): string | null {
  const own = `test/${mutant.file.split('/')[1]}/`;
  const groups = [
    testFiles.filter((file) => file.startsWith(own)),
    testFiles.filter((file) => !file.startsWith(own)),
    endToEnd,
  ];
  return broken(copy, mutant, () => {
    for (const group of groups) {
      const noticed = group.length > 0 ? firstLastingFailure(copy, group) : null;
      if (noticed !== null) return noticed;
    }
    return null;
  });
}

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => join('src', name).replaceAll(sep, '/'))
  .filter((name) => /^src\/(?!generated|bin).*\.ts$/.test(name) && name.startsWith(options.only))
  .sort();
const drawn = draw(
  files.flatMap((file) => mutantsOf(file, sourceOf(file))),
  Number(options.seed),
);
print(`${drawn.length} mutants of ${files.length} files; ${options.count} are drawn by seed ${options.seed}`);

if (options.list)
  for (const mutant of drawn.slice(0, Number(options.count))) print(describe(mutant, sourceOf(mutant.file)));
else {
  const copy = copyProject();
  const compiling: { mutant: Mutant; number: number }[] = [];
  for (const [index, mutant] of drawn.entries())
    if (index >= Number(options.skip) && compiling.length < Number(options.count))
      if (broken(copy, mutant, () => compiles(copy))) compiling.push({ mutant, number: index + 1 });

  const { filesOf, failures } = reachOf(
    copy,
    compiling.map(({ mutant }) => mutant),
  );
  for (const { test } of failures) print(`fails without a mutant, so its file is left out: ${test}`);
  const unfit = new Set(failures.map(({ file }) => file));
  const endToEnd = readdirSync(join(copy, 'test/end-to-end'))
    .map((name) => `test/end-to-end/${name}`)
    .filter((file) => !unfit.has(file));

  const survivors: string[] = [];
  for (const [place, { mutant, number }] of compiling.entries()) {
    const testFiles = [...(filesOf.get(place) ?? [])].filter((file) => !unfit.has(file));
    const noticed = noticedBy(copy, mutant, testFiles, endToEnd);
    const text = describe(mutant, sourceOf(mutant.file));
    if (noticed === null) survivors.push(text);
    const by = noticed === null ? `${testFiles.length} test files run it` : `by ${noticed}`;
    print(
      `${String(number).padStart(3)}  ${noticed === null ? 'SURVIVED' : 'killed  '}  ${text}\n            ${by}`,
    );
  }
  print(
    `\n${compiling.length - survivors.length} of ${compiling.length} killed${survivors.map((one) => `\n  survived: ${one}`).join('')}`,
  );
}
