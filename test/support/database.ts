/**
 * A database of its own for each test file, with every migration applied. `global-setup.ts` makes the server and the
 * template once per run; a database is a copy of the template, which takes some hundredths of a second.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestServer {
  /** For a role that may create databases. */
  adminUrl: string;
  template: string;
  /** Of the names of this run's databases. */
  prefix: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    testServer: TestServer;
  }
}

export interface TestDatabase {
  url: string;
  /** Also when connections are still open: they are closed. */
  drop(): Promise<void>;
}

/** Call in `beforeAll`, and `drop` in `afterAll`. What is not dropped goes when the run ends. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('testServer');
  return createDatabase(server, server.template);
}

/** The same without any table, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase(inject('testServer'), 'template0');
}

async function createDatabase({ adminUrl, prefix }: TestServer, template: string): Promise<TestDatabase> {
  const name = `${prefix}${randomBytes(4).toString('hex')}`;
  // One copy at a time: PostgreSQL refuses to copy what another session has in hand. Copying the files takes half the
  // time of writing each page to the log.
  await asAdmin(
    adminUrl,
    'select pg_advisory_lock(716253)',
    `create database ${name} template ${template} strategy file_copy`,
  );
  return {
    url: urlOf(adminUrl, name),
    drop: async () => {
      await asAdmin(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** Runs each statement by itself, in one session; answers the rows of the last. */
export async function asAdmin(adminUrl: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(adminUrl);
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

export function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
