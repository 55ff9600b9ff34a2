import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Keeps the drawing in ARCHITECTURE.md true: who may import whom. */

const source = resolve(import.meta.dirname, '../../src');

interface Import {
  readonly from: string;
  readonly to: string;
  /** `import type`, which does not exist at run time. */
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

/**
 * The folders that each folder may import, besides itself, `platform` and generated code: the whole drawing of
 * ARCHITECTURE.md. A folder names only folders above its own line, so there is no circle.
 */
const drawing: Record<string, readonly string[]> = {
  platform: [],
  values: [],
  flyte: ['values'],
  authorization: [],
  graphql: ['authorization'],
  identity: ['authorization', 'graphql'],
  'key-sets': ['authorization', 'graphql', 'identity'],
  'sign-in': ['authorization', 'graphql', 'identity', 'key-sets'],
  oauth: ['authorization', 'graphql', 'identity', 'key-sets', 'sign-in'],
  projects: ['authorization', 'graphql'],
  blobs: ['graphql', 'projects'],
  attributes: ['values', 'authorization', 'graphql', 'projects'],
  registry: ['values', 'flyte', 'authorization', 'graphql', 'identity', 'projects', 'attributes'],
  jobs: ['values', 'authorization', 'graphql', 'identity', 'projects', 'blobs'],
  executions: [
    'values',
    'authorization',
    'graphql',
    'identity',
    'projects',
    'attributes',
    'blobs',
    'registry',
  ],
  'identity-providers': ['authorization', 'graphql', 'identity', 'sign-in', 'oauth'],
  notifications: ['authorization', 'graphql', 'projects', 'registry', 'executions'],
  tracking: ['authorization', 'graphql', 'identity', 'projects', 'blobs', 'executions'],
  retention: ['authorization', 'graphql', 'identity', 'projects', 'blobs', 'executions', 'tracking'],
  access: ['authorization', 'graphql', 'identity', 'projects', 'registry', 'jobs', 'tracking'],
  api: [
    ...[
      'authorization',
      'graphql',
      'identity',
      'key-sets',
      'sign-in',
      'projects',
      'attributes',
      'blobs',
      'registry',
    ],
    ...['oauth', 'identity-providers'],
    ...['jobs', 'executions', 'notifications', 'tracking', 'retention', 'access'],
  ],
  doors: [],
  http: [
    'authorization',
    'graphql',
    'identity',
    'sign-in',
    'oauth',
    'identity-providers',
    'blobs',
    'api',
    'doors',
  ],
  scheduler: [
    'values',
    'sign-in',
    'oauth',
    'projects',
    'blobs',
    'registry',
    'jobs',
    'executions',
    'notifications',
    'retention',
  ],
  executor: ['values'],
  cli: ['flyte'],
  bin: ['identity', 'http', 'scheduler', 'executor', 'cli'],
};

const isPureRoom = (file: string) => role(file) === 'domain' || ['values', 'flyte'].includes(room(file));

describe('imports', () => {
  it('are found', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(new Set(files.map(room))).toEqual(new Set(Object.keys(drawing)));
  });

  it('follow the drawing', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        room(from) !== room(to) &&
        !['generated', ...(room(from) === 'platform' ? [] : ['platform'])].includes(room(to)) &&
        !drawing[room(from)]?.includes(room(to)),
    );
    expect(shown(wrong)).toEqual([]);
  });

  it('form no cycle among folders', () => {
    const order = Object.keys(drawing);
    const upward = Object.entries(drawing).flatMap(([from, all]) =>
      all.filter((to) => order.indexOf(to) >= order.indexOf(from)).map((to) => `${from} → ${to}`),
    );
    expect(upward).toEqual([]);
  });

  it('use every arrow of the drawing', () => {
    const used = new Set(imports.map(({ from, to }) => `${room(from)} → ${room(to)}`));
    const unused = Object.entries(drawing).flatMap(([from, all]) =>
      all.map((to) => `${from} → ${to}`).filter((arrow) => !used.has(arrow)),
    );
    expect(unused).toEqual([]);
  });

  it("keep domain rules, values and Flyte's forms free of GraphQL, HTTP, the database and the environment", () => {
    const wrong = imports.filter(({ from, to }) => {
      if (!isPureRoom(from)) return false;
      const isPure =
        /^platform\/(errors|phase-table|duration|group-by|ids|labels|text|exact-json|work-error|safe-url)\.ts$/.test(
          to,
        );
      return !isPureRoom(to) && !isPure && to !== 'generated/prisma/enums.ts';
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

  it('keep the executor free of capabilities, the database and the server', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (room(from) !== 'executor' && from !== 'bin/executor.ts') return false;
      const isAllowed =
        room(to) === 'executor' ||
        room(to) === 'values' ||
        (room(to) === 'platform' && !to.startsWith('platform/database/')) ||
        to.startsWith('generated/executor/');
      return !isAllowed;
    });
    expect(shown(wrong)).toEqual([]);
  });

  it('keep doors to our own GraphQL: they know no capability, no database and no server', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (room(from) !== 'doors') return room(to) === 'doors' && room(from) !== 'http';
      const isAllowed =
        room(to) === 'doors' ||
        (room(to) === 'platform' && !/^platform\/(database|config)\//.test(to)) ||
        to.startsWith('generated/doors/');
      return !isAllowed;
    });
    expect(shown(wrong)).toEqual([]);
  });

  it('keep the command line free of capabilities, the database and the server', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (room(from) !== 'cli') return false;
      const isAllowed =
        room(to) === 'cli' ||
        room(to) === 'flyte' ||
        to === 'platform/errors.ts' ||
        to.startsWith('generated/cli/') ||
        to.startsWith('generated/proto/');
      return !isAllowed;
    });
    expect(shown(wrong)).toEqual([]);
  });

  it('keep raw SQL in stores', () => {
    const strays = files.filter(
      (file) =>
        imports.some(
          (one) => one.from === file && one.to === 'platform/database/statement.ts' && !one.isType,
        ) &&
        !/^[a-z-]+\/(store(\.ts|\/)|locks\.ts$)/.test(file) &&
        file !== 'identity/commands/first-start.ts',
    );
    expect(strays).toEqual([]);
  });

  it('let only the folder that the schema names write a table, through SQL or Prisma', () => {
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

  it('let SQL read only tables of its own folder or of folders that it can import', () => {
    const wrong = files.flatMap((file) =>
      readsOf(code(file)).flatMap((table) => {
        const owner = owners.get(table) ?? '';
        const mayRead = room(file) === owner || drawing[room(file)]?.includes(owner);
        return mayRead ? [] : [`${room(file)} → ${table}`];
      }),
    );
    expect(wrong).toEqual([]);
  });
});

/**
 * Two maps: from a table to the capability whose schema file describes it, and from a model, in the spelling of
 * Prisma's client, to its table.
 */
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

/** A file without its comments, because their text may look like SQL. */
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
