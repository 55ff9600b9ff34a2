import type { ExecutorSettings, NodeCordon } from '../../generated/prisma/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';

/** What an operator can set for an executor. */
export interface SettingsColumns {
  readonly cordoned: boolean;
  readonly cordonReason: string | null;
}

interface Name {
  readonly tenantId: string;
  readonly name: string;
}

const ensureSettings = statement<Record<string, never>>(
  `insert into executor_settings (id, tenant_id, name, set_by_id) values ($1::uuid, $2::uuid, $3, $4::uuid)
   on conflict (tenant_id, name) do nothing`,
);

const lockSettingsStatement = statement<{ id: string }>(
  'select id from executor_settings where tenant_id = $1::uuid and name = $2 for update',
);

/** Locks the settings of an executor until the transaction ends. They are created if there are none. */
export async function lockSettings(
  tx: Tx,
  { tenantId, name }: Name,
  userId: string,
): Promise<ExecutorSettings> {
  await run(ensureSettings, [newId(), tenantId, name, userId], tx);
  const [held] = await run(lockSettingsStatement, [tenantId, name], tx);
  return await tx.executorSettings.findUniqueOrThrow({ where: { id: held?.id ?? '' } });
}

export const storeSettings = (
  tx: Tx,
  id: string,
  settings: SettingsColumns & { readonly setById: string; readonly updatedAt: Date },
): Promise<ExecutorSettings> => tx.executorSettings.update({ where: { id }, data: settings });

/** The address of a node. */
export interface NodeName {
  readonly tenantId: string;
  readonly executorName: string;
  readonly node: string;
}

const lockExecutorStatement = statement<{ id: string }>(
  'select id from executors where tenant_id = $1::uuid and name = $2 for no key update',
);

/** Locks an executor, so that only one transaction at a time sets the cordons of its nodes. */
export async function lockExecutor(tx: Tx, { tenantId, name }: Name): Promise<void> {
  await run(lockExecutorStatement, [tenantId, name], tx);
}

export const findCordon = (tx: Tx, key: NodeName): Promise<NodeCordon | null> =>
  tx.nodeCordon.findUnique({ where: { tenantId_executorName_node: key } });

export const storeCordon = (
  tx: Tx,
  key: NodeName,
  cordon: { readonly reason: string; readonly setById: string; readonly createdAt: Date },
): Promise<NodeCordon> =>
  tx.nodeCordon.upsert({
    where: { tenantId_executorName_node: key },
    create: { ...key, ...cordon },
    update: cordon,
  });

export const removeCordon = (tx: Tx, id: string): Promise<NodeCordon> =>
  tx.nodeCordon.delete({ where: { id } });

const wakeStatement = statement<Record<string, never>>(
  `select ${notifySql('pool', poolIdSql('tenant_id', 'pool'))} as woken
     from executors where tenant_id = $1::uuid and name = $2`,
);

/** Tells the assigner of the pool of an executor that there may be room. */
export async function wakePoolOf(tx: Tx, { tenantId, name }: Name): Promise<void> {
  await run(wakeStatement, [tenantId, name], tx);
}
