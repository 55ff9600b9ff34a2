/** The ways to break the source, and which of them a seed draws. */
import { parseAst } from 'vitest/node';
import { permissions } from '../../src/authorization/domain/permissions.ts';

export const kinds = ['rule', 'filter', 'bound', 'default'] as const;

/** A piece of a text, and what stands there instead. */
interface Edit {
  readonly kind: (typeof kinds)[number];
  readonly start: number;
  readonly end: number;
  readonly instead: string;
}

export interface Mutant extends Edit {
  readonly file: string;
  /** The body of the innermost function around it; null outside of functions. */
  readonly body: Body | null;
}

export interface Body {
  readonly start: number;
  readonly end: number;
  /** `=> value` instead of `{ statements }`. */
  readonly isExpression: boolean;
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
  readonly body: Node | readonly Node[] | null;
}

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
  if (!/\b(select|update|insert into|delete from|where)\b|::(?!backdrop)\w+|\$\d/.test(text)) return [];
  return sqlForms.flatMap(([form, by]) =>
    Array.from(text.matchAll(form), ({ 0: found, index }) => ({
      kind: 'filter' as const,
      start: at + index,
      end: at + index + found.length,
      instead: by(found),
    })),
  );
}

/** All nodes of a tree that are no types and no imports, each with the body of the function around it. */
function* nodesIn(tree: unknown, around: Body | null = null): Generator<{ node: Node; around: Body | null }> {
  if (Array.isArray(tree)) for (const one of tree) yield* nodesIn(one, around);
  else if (typeof tree === 'object' && tree !== null) {
    const node = tree as Node;
    if (/^TS(?!As|NonNull|Satisfies)|^(Import|ExportAll)/.test(node.type ?? '')) return;
    if (node.type) yield { node, around };
    const inside = bodyOf(node) ?? around;
    for (const below of Object.values(tree)) yield* nodesIn(below, inside);
  }
}

function bodyOf({ type, body }: Node): Body | null {
  if (!/Function/.test(type ?? '') || !body || !('start' in body)) return null;
  return {
    start: body.start,
    end: body.end,
    isExpression: !/^(BlockStatement|FunctionBody)$/.test(body.type),
  };
}

/** Each way to break one file of the source. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const text = ({ start, end }: Node) => source.slice(start, end);
  const tree: unknown = parseAst(source, { lang: 'ts' });
  return (
    [...nodesIn(tree)]
      .flatMap(({ node, around }) => editsOf(node, text).map((edit) => ({ file, body: around, ...edit })))
      // What the schema says of a field is compared with the file that is committed.
      .filter(({ start }) => !/\b(nullable|required): $/.test(source.slice(0, start)))
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
export function draw(mutants: readonly Mutant[], seed: number): Mutant[] {
  const numbers = random(seed);
  const keyed = mutants.map((mutant) => ({ mutant, key: numbers.next().value as number }));
  const shuffled = keyed.sort((one, other) => one.key - other.key).map(({ mutant }) => mutant);
  const byKind = kinds.map((kind) => shuffled.filter((mutant) => mutant.kind === kind));
  const most = Math.max(...byKind.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => byKind.flatMap((ofKind) => ofKind[turn] ?? [])).flat();
}

export function describe({ kind, file, start, end, instead }: Mutant, source: string): string {
  const line = source.slice(0, start).split('\n').length;
  const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  return `${kind.padEnd(7)}  ${file}:${line}  ${flat(source.slice(start, end))}  →  ${flat(instead) || 'nothing'}`;
}
