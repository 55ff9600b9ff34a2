/** The gate for breaking changes of `schema.graphql`: what it lets through, and that it can close. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { allowedChanges, breakingChanges, checkSchema } from './schema-changes.ts';

const before = `
  type Query {
    thing(id: ID!, old: Int @deprecated(reason: "unused")): Thing
    things(first: Int): [Thing!]!
    former: Former @deprecated(reason: "see thing")
  }
  type Mutation { make(input: MakeInput!): Outcome }
  type Thing implements Named { id: ID! name: String! size: Int @deprecated(reason: "unknown") }
  type Former { id: ID! }
  interface Named { name: String! }
  union Outcome = Thing | Problem
  type Problem { message: String! }
  enum Phase { NEW DONE LOST @deprecated(reason: "never was") }
  input MakeInput { name: String!, phase: Phase, colour: String @deprecated(reason: "none") }
`;

const keys = async (after: string) => (await breakingChanges(before, after)).map(({ key }) => key);
const replaced = (...[text, by]: [string, string]) => {
  expect(before).toContain(text);
  return before.replace(text, by);
};

describe('a schema', () => {
  it.each([
    ['a field that goes', 'things(first: Int): [Thing!]!', '', 'FIELD_REMOVED Query.things'],
    ['a type that goes', 'type Former { id: ID! }', 'scalar Former', 'TYPE_KIND_CHANGED Former'],
    [
      'a new argument that is required',
      'things(first: Int)',
      'things(first: Int, of: ID!)',
      'FIELD_ARGUMENT_ADDED Query.things.of',
    ],
    ['an argument that goes', 'things(first: Int)', 'things', 'FIELD_ARGUMENT_REMOVED Query.things.first'],
    [
      'an argument that becomes required',
      'first: Int',
      'first: Int!',
      'FIELD_ARGUMENT_TYPE_CHANGED Query.things.first',
    ],
    ['an enum value that goes', 'NEW DONE', 'NEW', 'ENUM_VALUE_REMOVED Phase.DONE'],
    [
      'an input field that is required',
      'name: String!, phase',
      'name: String!, of: ID!, phase',
      'INPUT_FIELD_ADDED MakeInput.of',
    ],
    ['an input field that goes', ', phase: Phase', '', 'INPUT_FIELD_REMOVED MakeInput.phase'],
    [
      'an answer that may be null now',
      'id: ID! name: String! size',
      'id: ID name: String! size',
      'FIELD_TYPE_CHANGED Thing.id',
    ],
    ['a member that leaves a union', 'Thing | Problem', 'Thing', 'UNION_MEMBER_REMOVED Outcome'],
    [
      'a type that leaves an interface',
      'Thing implements Named',
      'Thing',
      'OBJECT_TYPE_INTERFACE_REMOVED Thing',
    ],
    ['another type of a deprecated field', 'size: Int', 'size: String', 'FIELD_TYPE_CHANGED Thing.size'],
  ])('breaks its clients by %s', async (_what, text, by, key) => {
    expect(await keys(replaced(text, by))).toContain(key);
  });

  it.each([
    ['a new field', 'things(first: Int)', 'more: Int things(first: Int)'],
    ['a new argument with a default', 'things(first: Int)', 'things(first: Int, of: ID)'],
    [
      'an answer that is never null now',
      'thing(id: ID!, old: Int @deprecated(reason: "unused")): Thing',
      'thing(id: ID!, old: Int): Thing!',
    ],
    [
      'a deprecation',
      'things(first: Int): [Thing!]!',
      'things(first: Int): [Thing!]! @deprecated(reason: "x")',
    ],
    ['a deprecated field that goes', 'size: Int @deprecated(reason: "unknown")', ''],
    ['a deprecated argument that goes', ', old: Int @deprecated(reason: "unused")', ''],
    ['a deprecated enum value that goes', 'LOST @deprecated(reason: "never was")', ''],
    ['a deprecated input field that goes', ', colour: String @deprecated(reason: "none")', ''],
  ])('does not break them by %s', async (_what, text, by) => {
    expect(await keys(replaced(text, by))).toEqual([]);
  });

  it('may lose a type that only deprecated fields led to, and no other', async () => {
    const gone = before
      .replace('former: Former @deprecated(reason: "see thing")', '')
      .replace('type Former { id: ID! }', '');
    expect(await keys(gone)).toEqual([]);
    const alive = replaced('former: Former @deprecated(reason: "see thing")', 'former: Former');
    expect((await breakingChanges(alive, gone)).map(({ key }) => key).sort()).toEqual([
      'FIELD_REMOVED Query.former',
      'TYPE_REMOVED Former',
    ]);
  });
});

describe('.schema-changes', () => {
  it('has one change on each line, with its reason', () => {
    const text = '# What may break.\n\nFIELD_REMOVED  Query.things   # never worked\n  TYPE_REMOVED Former\n';
    expect([...allowedChanges(text)]).toEqual(['FIELD_REMOVED Query.things', 'TYPE_REMOVED Former']);
  });
});

describe('the gate', () => {
  let folder: string;
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
      cwd: folder,
      stdio: 'pipe',
    });
  const write = (text: string) => writeFileSync(join(folder, 'schema.graphql'), text);
  const commit = () => {
    git('add', '.');
    git('commit', '-q', '--allow-empty', '-m', 'x');
  };
  const smaller = before.replace('things(first: Int): [Thing!]!', '');

  beforeEach(() => {
    vi.stubEnv('SCHEMA_BASE', undefined);
    folder = mkdtempSync(join(tmpdir(), 'slipway-schema-'));
    git('init', '-q');
    write(before);
    commit();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it('passes and says so where no earlier schema exists', async () => {
    const { isOpen, report } = await checkSchema(folder);
    expect([isOpen, report]).toEqual([true, expect.stringContaining('nothing to compare with')]);
  });

  it('fails and names a breaking change since the last commit, committed or not', async () => {
    commit();
    expect((await checkSchema(folder)).isOpen).toBe(true);
    write(smaller);
    for (const round of ['not committed', 'committed']) {
      const { isOpen, report } = await checkSchema(folder);
      expect(isOpen, round).toBe(false);
      expect(report).toContain('FIELD_REMOVED Query.things');
      expect(report).toContain('the commit before');
      commit();
    }
  });

  it('passes for changes that .schema-changes lists', async () => {
    commit();
    write(smaller);
    writeFileSync(join(folder, '.schema-changes'), 'FIELD_REMOVED Query.things # never worked\n');
    expect((await checkSchema(folder)).isOpen).toBe(true);
  });

  it('compares with the last release once there is one, however long ago', async () => {
    git('tag', 'v0.1.0');
    write(smaller);
    commit();
    commit();
    const { isOpen, report } = await checkSchema(folder);
    expect(isOpen).toBe(false);
    expect(report).toContain('since v0.1.0, the last release');
  });

  it('compares a branch with where it left the main one', async () => {
    const main = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim();
    git('update-ref', 'refs/remotes/origin/main', main);
    write(smaller);
    commit();
    commit();
    const { isOpen, report } = await checkSchema(folder);
    expect(isOpen).toBe(false);
    expect(report).toContain('where this branch left origin/main');
  });
});
