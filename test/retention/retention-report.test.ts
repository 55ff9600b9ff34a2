/** Every table has a rule for how long its rows are kept, and administrators see how large the tables are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { tableRules } from '../../src/retention/domain/tables.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endExecution } from '../support/ended.ts';
import { mutate } from '../support/mutate.ts';
import {
  domain,
  eventually,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newUser, type User } from '../support/users.ts';

const project = 'reported';
let app: LocalApp;
let admin: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  admin = await newUser({ role: 'ADMIN' });
});
afterAll(() => app.stop());

const document = `{ retentionReport { table kept rule rows bytes oldestAt nextSweepAt lastDeletedAt } }`;
async function report(user: User = admin): Promise<Answer> {
  const { data, errors } = await app.ask(document, {}, user.authorization);
  return errors?.[0]?.extensions?.code ?? data.retentionReport;
}
const rowOf = async (table: string): Promise<Answer> =>
  (await report()).find((row: Answer) => row.table === table);

describe('the rules of tables', () => {
  it('name each table of the database', async () => {
    const { rows } = await pool.query(
      `select tablename from pg_tables where schemaname = 'public' and tablename <> '_prisma_migrations'`,
    );
    expect(Object.keys(tableRules).sort()).toEqual(rows.map(({ tablename }) => tablename).sort());
  });

  it('say for each table why it is kept, or as long as what', () => {
    for (const [table, { rule }] of Object.entries(tableRules))
      expect(rule, table).toMatch(/^[A-Z`].{12,}\.$/);
  });

  it('name the first column of the primary key, where they name a column', async () => {
    const { rows } = await pool.query(
      `select class.relname as table, attribute.attname as column, attribute.atttypid::regtype::text as type
         from pg_index as index join pg_class as class on class.oid = index.indrelid
         join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = index.indkey[0]
        where index.indisprimary`,
    );
    const keys = Object.fromEntries(rows.map(({ table, column, type }) => [table, `${column} ${type}`]));
    for (const [table, { idColumn }] of Object.entries(tableRules))
      if (idColumn) expect(keys[table], table).toBe(`${idColumn} uuid`);
  });

  /** The tables whose rows the database itself deletes with a row of these. */
  async function deletedWith(owners: readonly string[]): Promise<Set<string>> {
    const { rows } = await pool.query(
      `with recursive below as (
         select oid from pg_class where relname = any($1)
         union
         select fk.conrelid from below join pg_constraint as fk
           on fk.confrelid = below.oid and fk.contype = 'f' and fk.confdeltype = 'c'
       )
       select relname from pg_class join below on below.oid = pg_class.oid`,
      [owners],
    );
    return new Set(rows.map(({ relname }) => relname));
  }

  it('of what is kept with an owner agree with the foreign keys', async () => {
    const owned = Object.entries(tableRules).filter(([, { kept }]) => kept === 'WITH_OWNER');
    const byHand = ['grants'];
    const cascade = await deletedWith([
      ...['executions', 'blobs', 'users', 'groups', 'registered_models', 'launch_plans'],
      ...['tasks', 'workflows', 'json_web_key_sets', 'queues', 'oauth2_clients'],
    ]);
    const missing = owned.map(([table]) => table).filter((table) => !cascade.has(table));
    expect(missing.filter((table) => !byHand.includes(table))).toEqual([]);
  });
});

describe('retentionReport', () => {
  it('shows each table once with its size, the largest one first', async () => {
    const rows: Answer[] = await report();
    expect(rows.map(({ table }) => table).sort()).toEqual(Object.keys(tableRules).sort());
    const bytes = rows.map((row) => Number(row.bytes));
    expect(bytes).toEqual([...bytes].sort((one, other) => other - one));
    const { rows: actual } = await pool.query(`select pg_total_relation_size('workflows')::text as size`);
    expect(await rowOf('workflows')).toMatchObject({ kept: 'FOR_EVER', bytes: actual[0].size });
  });

  it('estimates the rows, once PostgreSQL has looked at the table', async () => {
    const count = await db.namedEntity.count();
    expect(count).toBeGreaterThan(0);
    await eventually(
      async () => {
        // A session tells PostgreSQL up to 10 s late what it has inserted, and then these rows count twice.
        await pool.query('analyze named_entities');
        return await rowOf('named_entities');
      },
      ({ rows }) => rows === String(count),
    );
  });

  it('says when the oldest row, or what it belongs to, was created', async () => {
    await launch(app, project, 'one');
    const { id } = await db.execution.findFirstOrThrow({ orderBy: { id: 'asc' } });
    // A UUIDv7 begins with its time in milliseconds.
    const createdAt = new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
    expect((await rowOf('executions')).oldestAt).toBe(createdAt.toISOString());
    expect((await rowOf('execution_events')).oldestAt).toBe((await rowOf('executions')).oldestAt);
    expect((await rowOf('model_versions')).oldestAt).toBeNull();
    expect((await rowOf('access_clock')).oldestAt).toBeNull();
  });

  it('says when executions are swept next, and what a deletion has left', async () => {
    expect(await rowOf('executions')).toMatchObject({ nextSweepAt: null, lastDeletedAt: null });
    await mutate(app, 'updateRetention', { project, domain, rules: [{ keepFor: 'P1D' }] });
    const at = new Date('2027-01-02T03:04:05.678Z');
    await db.retentionPolicy.updateMany({ data: { sweepAt: at, lastDeletedAt: at } });
    expect(await rowOf('executions')).toMatchObject({
      kept: 'BY_POLICY',
      nextSweepAt: at.toISOString(),
      lastDeletedAt: at.toISOString(),
    });
    const id = await launch(app, project, 'one');
    await endExecution(id);
    expect((await rowOf('execution_remains')).nextSweepAt).toBeNull();
    await mutate(app, 'deleteExecutions', { executions: [{ id }] });
    expect((await rowOf('execution_remains')).nextSweepAt).not.toBeNull();
  });

  it('takes four statements', async () => {
    await report();
    expect((await countStatements(report)).statements).toHaveLength(4);
  });

  it('is for administrators of the first tenant', async () => {
    for (const role of ['SUPERUSER', 'USER', 'GUEST'] as const)
      expect(await report(await newUser({ role, level: 'MANAGE' }))).toBe('PERMISSION_DENIED');
    const tenantId = (await db.tenant.create({ data: { id: newId(), name: 'else', nameKey: 'else' } })).id;
    expect(await report(await newUser({ role: 'ADMIN', tenantId }))).toBe('PERMISSION_DENIED');
    expect(await report(await newUser({ role: 'ROOT', tenantId }))).toHaveLength(
      Object.keys(tableRules).length,
    );
  });
});
