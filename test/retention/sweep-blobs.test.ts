/** Files that nothing names any more are deleted, and no others. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBlobs } from '../../src/blobs/store/blobs.ts';
import { lockUnusedBlobs } from '../../src/blobs/store/unused.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { sweepBlobs } from '../../src/retention/commands/sweep-blobs.ts';
import { tablesThatNameFiles, tablesWithoutFiles } from '../../src/retention/domain/file-tables.ts';
import { tableRules } from '../../src/retention/domain/tables.ts';
import { namedFiles } from '../../src/retention/store/named-files.ts';
import { type App, startApp } from '../support/app.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { homeTenant } from '../support/users.ts';

let app: App;
let tenantId: string;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, 'files');
  await registerTask(app, 'files', 'double');
  await registerWorkflow(app, 'files', 'flow', { a: [] });
  tenantId = await homeTenant();
});
afterAll(() => app.stop());

const DAY = 86_400_000;
const weekAgo = () => new Date(Date.now() - 7 * DAY);
const idOf = (uri: string) => uri.slice('slipway://blobs/'.length);
const isThere = async (id: string) => (await db.blob.count({ where: { id } })) === 1;

async function upload(content = randomBytes(1000)): Promise<string> {
  const { uri, uploadUrl } = await announce(app, 'files', content);
  expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
  return idOf(uri);
}

/** As if nobody had used these files for so long. */
const age = (days: number, ...ids: readonly string[]) =>
  pool.query(`update blobs set used_at = now() - $1 * interval '1 day' where id = any($2)`, [days, ids]);

async function sweep(): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) if (!(await sweepBlobs(weekAgo()))) return;
  throw new Error('it never ends');
}

/** Writes a value that names the file into an execution, beside its other values. */
async function nameIn(executionId: string, blobId: string): Promise<void> {
  const outputs = { file: { scalar: { blob: { uri: `slipway://blobs/${blobId}` } } } };
  await db.execution.update({ where: { id: executionId }, data: { outputs } });
}

describe('the tables that name files', () => {
  it('are all tables except those without values', () => {
    const all = [...tablesThatNameFiles, ...tablesWithoutFiles];
    expect([...all].sort()).toEqual(Object.keys(tableRules).sort());
  });

  it('are searched, each of them, in all columns', async () => {
    const { rows } = await pool.query(
      `select table_name, column_name, data_type from information_schema.columns
        where table_schema = 'public' and data_type in ('json', 'jsonb', 'text') and table_name = any($1)`,
      [tablesThatNameFiles],
    );
    const id = newId();
    for (const table of new Set(rows.map(({ table_name }) => table_name)))
      await inTransaction(async (tx) => {
        const columns = rows.filter((row) => row.table_name === table && row.data_type !== 'text');
        const [{ column_name: column } = { column_name: null }] = columns;
        if (column === null) return;
        const changed = await tx.$executeRawUnsafe(
          `update ${table} set ${column} = jsonb_build_object('x', 'slipway://blobs/${id}')
            where ctid = (select ctid from ${table} where tenant_id = $1::uuid limit 1)`,
          tenantId,
        );
        if (changed === 1)
          expect([table, await namedFiles(tx, tenantId, [id])]).toEqual([table, new Set([id])]);
        throw new Error('undo');
      }).catch((error: Error) => {
        if (error.message !== 'undo') throw error;
      });
    expect(await inTransaction((tx) => namedFiles(tx, tenantId, [id]))).toEqual(new Set());
  });
});

it('whole tables are read without their indexes, and only in the transaction that looks for files', async () => {
  const scans = await inTransaction(async (tx) => {
    await namedFiles(tx, await homeTenant(), [newId()]);
    return await tx.$queryRaw`select current_setting('enable_seqscan') as scans`;
  });
  expect(scans).toEqual([{ scans: 'on' }]);
  expect((await pool.query('show enable_seqscan')).rows).toEqual([{ enable_seqscan: 'off' }]);
});

describe('a file', () => {
  it('is deleted with its content a week after its last use, if nothing names it', async () => {
    const [old, young] = [await upload(), await upload()];
    await age(8, old);
    await age(6, young);
    await sweep();
    expect([await isThere(old), await isThere(young)]).toEqual([false, true]);
    expect(await db.blobChunk.count({ where: { blobId: old } })).toBe(0);
    expect(await db.blobChunk.count({ where: { blobId: young } })).toBe(1);
  });

  it('stays as long as an execution names it, and is looked at again after a week', async () => {
    const [named, other] = [await upload(), await upload()];
    const execution = await launch(app, 'files', 'flow');
    await nameIn(execution, named);
    await age(8, named, other);
    await sweep();
    expect([await isThere(named), await isThere(other)]).toEqual([true, false]);
    expect(await inTransaction((tx) => lockUnusedBlobs(tx, weekAgo()))).toEqual([]);
    await db.execution.update({ where: { id: execution }, data: { outputs: {} } });
    await sweep();
    expect(await isThere(named)).toBe(true);
    await age(8, named);
    await sweep();
    expect(await isThere(named)).toBe(false);
  });

  it('is not kept by what another tenant says', async () => {
    const id = await upload();
    const other = await db.tenant.create({ data: { id: newId(), name: 'elsewhere', nameKey: 'elsewhere' } });
    await db.project.create({
      data: { id: newId(), tenantId: other.id, identifier: 'p', name: `slipway://blobs/${id}` },
    });
    await age(8, id);
    await sweep();
    expect(await isThere(id)).toBe(false);
  });

  it('stays when its content is announced again', async () => {
    const content = randomBytes(100);
    const id = await upload(content);
    await age(8, id);
    expect(await announce(app, 'files', content)).toEqual({ uri: `slipway://blobs/${id}`, uploadUrl: '' });
    await sweep();
    expect(await isThere(id)).toBe(true);
  });

  it('is there for whoever checked it before, whatever a sweep does at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await upload();
      const execution = await launch(app, 'files', 'flow');
      await age(8, id);
      const refer = async () => {
        const [size] = await useBlobs([{ tenantId, projectId, id }]);
        if (size === null) return false;
        await nameIn(execution, id);
        return true;
      };
      const [, isNamed] = await Promise.all([sweepBlobs(weekAgo()), refer(), sweepBlobs(weekAgo())]);
      expect([round, await isThere(id)]).toEqual([round, isNamed]);
    }
  });

  it('is gone for whoever checks it while a sweep deletes it', async () => {
    const id = await upload();
    await age(8, id);
    let checking: Promise<(bigint | null)[]> | undefined;
    await inTransaction(async (tx) => {
      await lockUnusedBlobs(tx, weekAgo());
      checking = useBlobs([{ tenantId, projectId, id }]);
      await tx.blob.delete({ where: { id } });
    });
    expect(await checking).toEqual([null]);
  });

  it('is found by several who check it at once', async () => {
    const id = await upload();
    await age(8, id);
    const sizes = await Promise.all(Array.from({ length: 8 }, () => useBlobs([{ tenantId, projectId, id }])));
    expect(sizes).toEqual(Array.from({ length: 8 }, () => [1000n]));
  });

  it('is uploaded anew after it was deleted', async () => {
    const content = randomBytes(10);
    const id = await upload(content);
    await age(8, id);
    await sweep();
    const again = await upload(content);
    expect(again).not.toBe(id);
    const { sha256 } = await db.blob.findUniqueOrThrow({ where: { id: again } });
    expect(Buffer.from(sha256)).toEqual(createHash('sha256').update(content).digest());
  });
});
