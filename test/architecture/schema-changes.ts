/**
 * The gate for breaking changes, `npm run schema:check`. It compares `schema.graphql` with the schema of the last
 * release. Before the first release, it compares with the commit where this branch left the main branch; on the main
 * branch, with the previous commit; SCHEMA_BASE names another commit. A change that breaks clients fails, unless the
 * removed part was `@deprecated` before, or `.schema-changes` lists the change.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Change, CriticalityLevel, diff } from '@graphql-inspector/core';
import {
  buildASTSchema,
  buildSchema,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isTypeDefinitionNode,
  isUnionType,
  parse,
  visit,
} from 'graphql';

const root = join(import.meta.dirname, '../..');

export interface BreakingChange {
  /** The change in the form of `.schema-changes`: `FIELD_REMOVED Query.things`. */
  readonly key: string;
  readonly message: string;
}

/** The changes from `before` to `after` that break clients, except for parts that were deprecated in `before`. */
export async function breakingChanges(before: string, after: string): Promise<BreakingChange[]> {
  const old = parse(before);
  const now = buildSchema(after);
  const all = (await diff(buildASTSchema(old), now)).filter(isBreaking);
  const without = (await diff(withoutDeprecated(old), now)).filter(isBreaking).map(keyOf);
  return all
    .filter((change) => !change.type.endsWith('_REMOVED') || without.includes(keyOf(change)))
    .map((change) => ({ key: keyOf(change), message: change.message }));
}

const isBreaking = ({ criticality }: Change) => criticality.level === CriticalityLevel.Breaking;
const keyOf = ({ type, path }: Change) => `${type} ${path ?? ''}`;

/**
 * The schema for a client that uses nothing deprecated, and no types that can be reached only through deprecated
 * fields.
 */
function withoutDeprecated(document: DocumentNode): GraphQLSchema {
  const leaveOut = (node: {
    readonly directives?: readonly { readonly name: { readonly value: string } }[];
  }) => (node.directives?.some(({ name }) => name.value === 'deprecated') ? null : undefined);
  const rest = visit(document, {
    FieldDefinition: leaveOut,
    InputValueDefinition: leaveOut,
    EnumValueDefinition: leaveOut,
  });
  const reached = reachable(buildASTSchema(rest, { assumeValid: true }));
  const definitions = rest.definitions.filter(
    (definition) => !isTypeDefinitionNode(definition) || reached.has(definition.name.value),
  );
  return buildASTSchema({ ...rest, definitions }, { assumeValid: true });
}

function reachable(schema: GraphQLSchema): Set<string> {
  const reached = new Set<string>();
  const follow = (type: GraphQLNamedType | null | undefined): void => {
    if (!type || reached.has(type.name)) return;
    reached.add(type.name);
    for (const next of neighbours(type, schema)) follow(next);
  };
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
    follow(type);
  for (const { args } of schema.getDirectives()) for (const { type } of args) follow(getNamedType(type));
  return reached;
}

function neighbours(type: GraphQLNamedType, schema: GraphQLSchema): GraphQLNamedType[] {
  if (isUnionType(type)) return [...type.getTypes()];
  if (isInputObjectType(type))
    return Object.values(type.getFields()).map((field) => getNamedType(field.type));
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  const fields = Object.values(type.getFields()).flatMap((field) => [
    getNamedType(field.type),
    ...field.args.map((argument) => getNamedType(argument.type)),
  ]);
  const implementing = isInterfaceType(type) ? schema.getPossibleTypes(type) : [];
  return [...fields, ...type.getInterfaces(), ...implementing];
}

/** One change on each line, with the reason after a `#`. */
export function allowedChanges(text: string): Set<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*$/, '').trim().replace(/\s+/g, ' '));
  return new Set(lines.filter(Boolean));
}

/** The commit to compare with, and why it is this one; null if there is none. */
export function findBase(git: (...args: string[]) => string | null): { rev: string; why: string } | null {
  const named = process.env['SCHEMA_BASE'];
  if (named) return { rev: named, why: 'SCHEMA_BASE' };
  const release = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', 'HEAD');
  if (release) return { rev: release, why: 'the last release' };
  const head = git('rev-parse', 'HEAD');
  for (const main of ['origin/HEAD', 'origin/main', 'origin/master']) {
    const fork = git('merge-base', 'HEAD', main);
    if (fork && fork !== head) return { rev: fork, why: `where this branch left ${main}` };
  }
  const parent = git('rev-parse', '--verify', '--quiet', 'HEAD~1');
  return parent ? { rev: parent, why: 'the commit before' } : null;
}

/** The output of git; null if it has none: there is no such tag, the clone is shallow, or there is no repository. */
function gitIn(folder: string) {
  return (...args: string[]): string | null => {
    try {
      return execFileSync('git', args, {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    } catch {
      return null;
    }
  };
}

/** @returns the text to print, and whether the gate is open. */
export async function checkSchema(folder: string): Promise<{ isOpen: boolean; report: string }> {
  const git = gitIn(folder);
  const base = findBase(git);
  const before = base && git('show', `${base.rev}:schema.graphql`);
  if (!base || !before)
    return { isOpen: true, report: 'no earlier schema.graphql in this clone: nothing to compare with' };
  const after = readFileSync(join(folder, 'schema.graphql'), 'utf8');
  const allowFile = join(folder, '.schema-changes');
  const allowed = allowedChanges(existsSync(allowFile) ? readFileSync(allowFile, 'utf8') : '');
  const changes = await breakingChanges(before, after);
  const refused = changes.filter(({ key }) => !allowed.has(key));
  const since = `since ${base.rev.slice(0, 12)}, ${base.why}`;
  if (changes.length === 0) return { isOpen: true, report: `no breaking change ${since}` };
  if (refused.length === 0)
    return { isOpen: true, report: `${changes.length} breaking changes ${since}, all of them allowed` };
  const lines = refused.map(({ key, message }) => `  ${key}\n      ${message}`);
  const advice =
    'Deprecate first and remove in a later release; or name the line in .schema-changes, with the reason behind a #.';
  return { isOpen: false, report: [`breaking changes ${since}:`, ...lines, advice].join('\n') };
}

if (process.argv[1] === import.meta.filename) {
  const { isOpen, report } = await checkSchema(root);
  process.stdout.write(`${report}\n`);
  process.exitCode = isOpen ? 0 : 1;
}
