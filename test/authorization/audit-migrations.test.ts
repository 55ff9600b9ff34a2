/** What migrations do with existing audit events. */
import { describe, expect, it } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { newId } from '../../src/platform/ids.ts';
import { applyBefore, olderDatabase } from '../support/older-database.ts';

const database = olderDatabase();

async function insertEvent(targetType: string): Promise<void> {
  await database.query(
    `insert into audit_events (id, tenant_id, action, outcome, target_type) values ($1, $2, 'x:y', 'DONE', $3)`,
    [newId(), newId(), targetType],
  );
}

describe('former_users', () => {
  it('has the names of users that were deleted before the migration', async () => {
    await applyBefore(database.url, 'former_users');
    const [id, tenantId] = [newId(), newId()];
    await database.query(
      `insert into audit_events (id, tenant_id, action, outcome, target_type, target_id, target_name)
       values ($1, $2, 'user:delete', 'DONE', 'user', $3, 'bob'), ($4, $2, 'user:delete', 'DENIED', 'user', $5, 'eve')`,
      [newId(), tenantId, id, newId(), newId()],
    );
    await applyMigrations(database.url);
    const { rows } = await database.query('select id, tenant_id, username, name from former_users');
    expect(rows).toEqual([{ id, tenant_id: tenantId, username: 'bob', name: 'bob' }]);
  });
});

describe('audit_kinds', () => {
  it('gives each kind one name, and still refuses changes of events', async () => {
    await applyBefore(database.url, 'audit_kinds');
    for (const kind of ['registered_model', 'registered model', 'credential', 'user'])
      await insertEvent(kind);
    await applyMigrations(database.url);
    const { rows } = await database.query('select target_type as kind from audit_events order by id');
    expect(rows.map(({ kind }) => kind)).toEqual([
      'registered model',
      'registered model',
      'access key',
      'user',
    ]);
    await expect(database.query(`update audit_events set action = 'x:z'`)).rejects.toThrow('only ever added');
  });
});
