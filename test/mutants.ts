/**
 * Breaks rules, filters, bounds and defaults of the source, one at a time, and tells which of these mutants no test
 * notices.
 *
 *   npm run test:mutants -- [--seed N] [--count N] [--skip N] [--only PATH] [--list]
 *
 * It draws `count` mutants (30), as many of each kind, by `seed` (1): the same seed on the same source draws the same.
 * Each is applied to a copy of the project, which goes when the script ends, so that an interrupted run leaves nothing
 * behind. What does not compile is no mutant, and another is drawn. The tests of the mutant's own folder run first,
 * then all but `end-to-end`, up to the first that fails, also when its file runs alone. `--skip` leaves out the first
 * ones, to go on with a series; `--only` draws from one folder or file; `--list` only shows.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseAst } from 'vitest/node';
import { permissions } from '../src/authorization/domain/permissions.ts';

const kinds = ['rule', 'filter', 'bound', 'default'] as const;

/** A piece of a text, and what stands there instead. */
interface Edit {
  readonly kind: (typeof kinds)[number];
  readonly start: number;
  readonly end: number;
  readonly instead: string;
}

interface Mutant extends Edit {
  readonly file: string;
}

/** A node of the syntax tree, with as much of its shape as is read here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly operator: string;
  readonly value: unknown;
  readonly left: Node;
  readonly right: Node;
  readonly test: Node;
  readonly consequent: Node;
  readonly argument: Node;
  readonly expression: Node;
  readonly callee: Node;
  readonly object: Node;
  readonly property: Node & { readonly name: string };
  readonly elements: readonly Node[];
}

const MAX_MINUTES = 20;
const MAX_TRIES = 3;
const root = fileURLToPath(new URL('..', import.meta.url));

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '30' },
    skip: { type: 'string', default: '0' },
    only: { type: 'string', default: 'src' },
    list: { type: 'boolean', default: false },
  },
});

const comparisons: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const levels = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];
const names = Object.keys(permissions);

/** What may be said instead of a level or a permission. */
function otherWord(word: string): string | undefined {
  for (const words of [levels, names]) {
    const at = words.indexOf(word);
    if (at >= 0) return words[(at + 1) % words.length];
  }
  return undefined;
}

/** Each way to break one node. */
function editsOf(node: Node, text: (of: Node) => string): Edit[] {
  const edit = (kind: Edit['kind'], of: Node, instead: string): Edit => ({
    kind,
    start: of.start,
    end: of.end,
    instead,
  });
  switch (node.type) {
    case 'BinaryExpression': {
      const other = comparisons[node.operator];
      return other ? [edit('bound', node, `${text(node.left)} ${other} ${text(node.right)}`)] : [];
    }
    case 'LogicalExpression':
      return node.operator === '??'
        ? [edit('default', node, `(${text(node.right)})`)]
        : [edit('rule', node, `(${text(node.left)})`), edit('rule', node, `(${text(node.right)})`)];
    case 'IfStatement':
      return /throw |fault\(|problem|refus|denied/i.test(text(node.consequent))
        ? [edit('rule', node.test, 'false')]
        : [];
    case 'ExpressionStatement':
      return /^(await )?(require|check|forget|record)/.test(text(node)) ? [edit('rule', node, ';')] : [];
    case 'CallExpression':
      return node.callee.type === 'MemberExpression' && node.callee.property.name === 'filter'
        ? [edit('filter', node, text(node.callee.object))]
        : [];
    case 'Literal':
      return editsOfLiteral(node, text(node));
    case 'TemplateElement':
      return editsOfSql(text(node), node.start);
    default:
      return [];
  }
}

function editsOfLiteral({ value, start, end }: Node, raw: string): Edit[] {
  if (typeof value === 'boolean') return [{ kind: 'default', start, end, instead: String(!value) }];
  if (typeof value === 'number' && value > 1)
    return [value + 1, value * 10].map((other) => ({ kind: 'bound', start, end, instead: String(other) }));
  if (typeof value !== 'string') return [];
  const word = otherWord(value);
  return word ? [{ kind: 'rule', start, end, instead: `'${word}'` }] : editsOfSql(raw, start);
}

const sqlForms: readonly (readonly [RegExp, (found: string) => string])[] = [
  // A condition more.
  [
    / and (?:not )?[\w."]+(?: (?:=|<>|<|>|<=|>=) [\w."$:']+| is (?:not )?null)?(?=\s*(?:$|\n|\)|(?:and|or|order|limit|for|returning|union) ))/g,
    () => '',
  ],
  [/\bis null\b/g, () => 'is not null'],
  [/\bis not null\b/g, () => 'is null'],
  [/ (?:<|>|<=|>=) /g, (found) => (found.includes('=') ? found.replace('=', '') : `${found.trimEnd()}= `)],
  [/ desc\b/g, () => ''],
  [/\bfor update\b/g, () => ''],
];

/** Each way to break one text, where it is SQL or a part of it. */
function editsOfSql(text: string, at: number): Edit[] {
  if (!/\b(select|update|insert into|delete from|where)\b|::\w+|\$\d/.test(text)) return [];
  return sqlForms.flatMap(([form, by]) =>
    Array.from(text.matchAll(form), ({ 0: found, index }) => ({
      kind: 'filter' as const,
      start: at + index,
      end: at + index + found.length,
      instead: by(found),
    })),
  );
}

/** All nodes of a tree that are no types and no imports. */
function* nodesIn(tree: unknown): Generator<Node> {
  if (Array.isArray(tree)) for (const one of tree) yield* nodesIn(one);
  else if (typeof tree === 'object' && tree !== null) {
    const { type = '' } = tree as Partial<Node>;
    if (/^TS(?!As|NonNull|Satisfies)|^(Import|ExportAll)/.test(type)) return;
    if (type) yield tree as Node;
    for (const below of Object.values(tree)) yield* nodesIn(below);
  }
}

function mutantsOf(file: string): Mutant[] {
  const source = readFileSync(join(root, file), 'utf8');
  const text = ({ start, end }: Node) => source.slice(start, end);
  const tree: unknown = parseAst(source, { lang: 'ts' });
  return (
    [...nodesIn(tree)]
      .flatMap((node) => editsOf(node, text))
      // What the schema says of a field is compared with the file that is committed.
      .filter(({ start }) => !/\b(nullable|required): $/.test(source.slice(0, start)))
      .map((edit) => ({ file, ...edit }))
  );
}

/** Numbers in 0 … 1 that depend on the seed alone (mulberry32). */
function* random(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** The mutants in the order in which the seed draws them: one of each kind in turn. */
function draw(mutants: readonly Mutant[], seed: number): Mutant[] {
  const numbers = random(seed);
  const keyed = mutants.map((mutant) => ({ mutant, key: numbers.next().value as number }));
  const shuffled = keyed.sort((one, other) => one.key - other.key).map(({ mutant }) => mutant);
  const byKind = kinds.map((kind) => shuffled.filter((mutant) => mutant.kind === kind));
  const most = Math.max(...byKind.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => byKind.flatMap((ofKind) => ofKind[turn] ?? [])).flat();
}

function describe({ kind, file, start, end, instead }: Mutant): string {
  const source = readFileSync(join(root, file), 'utf8');
  const line = source.slice(0, start).split('\n').length;
  const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  return `${kind.padEnd(7)}  ${file}:${line}  ${flat(source.slice(start, end))}  →  ${flat(instead) || 'nothing'}`;
}

/** A copy of what git knows and of what is generated, with the same packages. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'slipway-mutants-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const known = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const name of [...known, 'src/generated', 'test/generated', 'dist'])
    if (name && existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

interface Failure {
  /** The test file; null if the tests did not end in time. */
  readonly file: string | null;
  readonly test: string;
}

/** Runs tests up to the first that fails. @returns null when all pass. */
function firstFailure(copy: string, filters: readonly string[]): Failure | null {
  const report = join(copy, 'results.json');
  rmSync(report, { force: true });
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporter = ['--reporter=json', `--outputFile=${report}`];
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--config', 'test/vitest.config.ts', '--bail=1', ...reporter, ...filters],
    { cwd: copy, stdio: 'ignore', timeout: MAX_MINUTES * 60_000 },
  );
  if (status === 0) return null;
  if (!existsSync(report)) return { file: null, test: `no end within ${MAX_MINUTES} minutes` };
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  const failed = testResults.find((one) => one.status === 'failed');
  const test = failed?.assertionResults.find((one) => one.status === 'failed');
  const file = relative(copy, failed?.name ?? copy);
  return { file, test: `${file} › ${test?.fullName ?? 'the file itself'}` };
}

/**
 * The first failure that comes again when its file runs alone: a failure that does not come again is not the mutant's.
 */
function firstLastingFailure(copy: string, filters: readonly string[]): string | null {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const failure = firstFailure(copy, filters);
    if (!failure?.file || firstFailure(copy, [failure.file])) return failure?.test ?? null;
  }
  return null;
}

/** Which test notices the mutant: null for none, undefined where it does not compile. */
function tryMutant(copy: string, mutant: Mutant): string | null | undefined {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, source.slice(0, mutant.start) + mutant.instead + source.slice(mutant.end));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    if (spawnSync(process.execPath, [tsc, '--noEmit'], { cwd: copy, stdio: 'ignore' }).status !== 0)
      return undefined;
    const near = join('test', mutant.file.split('/')[1] ?? '');
    const nearby = existsSync(join(copy, near)) ? firstLastingFailure(copy, [`${near}/`]) : null;
    return nearby ?? firstLastingFailure(copy, ['--exclude', 'test/end-to-end/**']);
  } finally {
    writeFileSync(path, source);
  }
}

const print = (line: string) => process.stdout.write(`${line}\n`);

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => join('src', name).replaceAll(sep, '/'))
  .filter((name) => /^src\/(?!generated|bin).*\.ts$/.test(name) && name.startsWith(options.only))
  .sort();
const drawn = draw(files.flatMap(mutantsOf), Number(options.seed));
print(`${drawn.length} mutants of ${files.length} files; ${options.count} are drawn by seed ${options.seed}`);

if (options.list) for (const mutant of drawn.slice(0, Number(options.count))) print(describe(mutant));
else {
  const copy = copyProject();
  const survivors: string[] = [];
  let tried = 0;
  for (const [index, mutant] of drawn.entries()) {
    if (index < Number(options.skip)) continue;
    if (tried === Number(options.count)) break;
    const noticed = tryMutant(copy, mutant);
    if (noticed === undefined) continue;
    tried += 1;
    if (noticed === null) survivors.push(describe(mutant));
    print(
      `${String(index + 1).padStart(3)}  ${noticed === null ? 'SURVIVED' : 'killed  '}  ${describe(mutant)}${noticed ? `\n            by ${noticed}` : ''}`,
    );
  }
  print(
    `\n${tried - survivors.length} of ${tried} killed${survivors.map((one) => `\n  survived: ${one}`).join('')}`,
  );
}
