import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Keeps the drawing of ARCHITECTURE.md true: who may import whom. */

const source = resolve(import.meta.dirname, '../../src');

interface Import {
  readonly from: string;
  readonly to: string;
  /** `import type`: gone at run time. */
  readonly isType: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))
  .map((file) => file.replaceAll('\\', '/'));

const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(source, from), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?[^'"]*?['"](\.[^'"]+)['"];?$/gm)].map((match) => ({
    from,
    to: relative(source, resolve(source, dirname(from), match[2] ?? '')).replaceAll('\\', '/'),
    isType: match[1] !== undefined,
  }));
});

const room = (file: string) => file.split('/')[0] ?? '';
const role = (file: string) => (file.split('/')[1] ?? '').replace(/\.ts$/, '');
const shown = (list: readonly Import[]) => list.map(({ from, to }) => `${from} → ${to}`);

/** Among capabilities: each may import itself and those that it names. */
const capabilities: Record<string, readonly string[]> = {
  access: [],
  identity: ['access'],
  oauth: ['access', 'identity'],
  projects: ['access'],
  blobs: ['access', 'projects'],
  registry: ['access', 'projects'],
  jobs: ['access', 'projects', 'blobs'],
  executions: ['access', 'projects', 'blobs', 'registry'],
  experiments: ['access', 'projects', 'executions'],
  models: ['access', 'projects', 'executions', 'experiments', 'blobs'],
};

describe('imports', () => {
  it('are found at all', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(new Set(files.map(room))).toEqual(
      new Set([...Object.keys(capabilities), 'bin', 'executor', 'graphql', 'http', 'platform', 'scheduler']),
    );
  });

  it('go one way among capabilities', () => {
    const wrong = imports.filter(({ from, to }) => {
      const allowed = capabilities[room(from)];
      if (!allowed || !(room(to) in capabilities) || room(to) === room(from)) return false;
      // A graph's nouns refer to one another: type refs of other nouns are the schema, not the rules; and an edge
      // that leads to another noun asks what decides about that.
      if (role(from) === 'graphql' && (role(to) === 'graphql' || /\/domain\/targets\.ts$/.test(to)))
        return false;
      return !allowed.includes(room(to));
    });
    expect(shown(wrong)).toEqual([]);
  });

  it('keep domain rules free of GraphQL, HTTP, the database and the environment', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (role(from) !== 'domain') return false;
      const isDomain = role(to) === 'domain';
      const isPure = /^platform\/(errors|phase-table|duration|ids)\.ts$/.test(to);
      return !isDomain && !isPure && to !== 'generated/prisma/enums.ts';
    });
    expect(shown(wrong)).toEqual([]);
  });

  it('keep commands and stores free of GraphQL and HTTP', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        ['commands', 'store', 'domain'].includes(role(from)) &&
        (room(to) === 'graphql' || room(to) === 'http' || role(to) === 'graphql' || role(to) === 'rules'),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('keep stores free of commands', () => {
    const wrong = imports.filter(({ from, to }) => role(from) === 'store' && role(to) === 'commands');
    expect(shown(wrong)).toEqual([]);
  });

  it('let only the scheduler know both executions and jobs', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        new Set([room(from), room(to)]).size === 2 &&
        ['executions', 'jobs'].includes(room(from)) &&
        ['executions', 'jobs'].includes(room(to)) &&
        role(from) !== 'graphql',
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('keep the executor outside: no capability, no database, no server', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (room(from) !== 'executor' && from !== 'bin/executor.ts') return false;
      const isAllowed =
        room(to) === 'executor' ||
        /^platform\/(config\/(base|environment|executor)|log|process|process-identity|folder-lock|in-home|plain-faults|errors|duration|ids|group-by)\.ts$/.test(
          to,
        ) ||
        to.startsWith('generated/executor/');
      return !isAllowed;
    });
    expect(shown(wrong)).toEqual([]);
  });

  it('keep the platform free of everything above it', () => {
    const wrong = imports.filter(
      ({ from, to }) => room(from) === 'platform' && !['platform', 'generated'].includes(room(to)),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('keep raw SQL in stores', () => {
    const strays = files.filter(
      (file) =>
        /\b(statement|run)\b/.test(readFileSync(join(source, file), 'utf8')) &&
        imports.some(
          (one) => one.from === file && one.to === 'platform/database/statement.ts' && !one.isType,
        ) &&
        !/^[a-z]+\/(store(\.ts|\/)|locks\.ts$)/.test(file) &&
        file !== 'identity/commands/first-start.ts',
    );
    expect(strays).toEqual([]);
  });

  it('let each table be written by the folder that its schema names, through SQL or Prisma', () => {
    const wrong = files.flatMap((file) =>
      writesOf(code(file))
        .filter((table) => owners.get(table) !== room(file))
        .map((table) => `${file} writes ${table}`),
    );
    expect(wrong).toEqual([]);
    const written = new Set(files.flatMap((file) => writesOf(code(file))));
    expect([...written].sort()).toEqual(
      expect.arrayContaining(['blobs', 'executions', 'jobs', 'projects', 'users']),
    );
  });

  it('let SQL read only tables of the own folder, or of those that it may import', () => {
    const found = files.flatMap((file) =>
      readsOf(code(file)).flatMap((table) => {
        const owner = owners.get(table) ?? '';
        const isFree = room(file) === 'scheduler' || room(file) === owner;
        return isFree || capabilities[room(file)]?.includes(owner) ? [] : [`${room(file)} → ${table}`];
      }),
    );
    expect([...new Set(found)].sort()).toEqual(Object.keys(readingBesides).sort());
  });
});

/** What a capability's SQL reads of those that it may not import, and why. */
const readingBesides: Readonly<Record<string, string>> = {
  'blobs → job_runs': 'whose file it is: an executor names the run that it holds, and jobs import blobs',
  'blobs → jobs': 'on the way from a run to its set',
  'blobs → job_sets': 'the set has the project that the work is for',
  'blobs → executors': 'the run must be held by the account that asks',
  'identity → revoked_sessions':
    'one statement says whether a sign-in stands; oauth, which ends them, imports identity',
};

/** Table → the capability whose schema file describes it; model, as Prisma's client spells it → table. */
const owners = new Map<string, string>();
const tableOfModel = new Map<string, string>();
const schemas = resolve(import.meta.dirname, '../../prisma/schema');
for (const file of readdirSync(schemas)) {
  const text = readFileSync(join(schemas, file), 'utf8');
  for (const [, model = '', body = ''] of text.matchAll(/^model (\w+) \{$([\s\S]*?)^\}$/gm)) {
    const table = /@@map\("(\w+)"\)/.exec(body)?.[1] ?? model;
    owners.set(table, file.replace('.prisma', ''));
    tableOfModel.set(model.charAt(0).toLowerCase() + model.slice(1), table);
  }
}

/** A file without its comments, whose prose may sound like SQL. */
function code(file: string): string {
  const text = readFileSync(join(source, file), 'utf8');
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function writesOf(text: string): string[] {
  const sql = [...text.matchAll(/\b(?:insert into|update|delete from)\s+([a-z_]+)\b/g)];
  const prisma = text.matchAll(
    /\b(?:db|tx)\.(\w+)\.(?:create|createMany|update|updateMany|upsert|delete|deleteMany)(?:AndReturn)?\(/g,
  );
  return [
    ...sql.map(([, table = '']) => table),
    ...[...prisma].map(([, model = '']) => tableOfModel.get(model) ?? model),
  ].filter((table) => owners.has(table));
}

function readsOf(text: string): string[] {
  const tables = [...text.matchAll(/\b(?:from|join|using)\s+([a-z_]+)\b/g)].map(([, table = '']) => table);
  return tables.filter((table) => owners.has(table));
}
