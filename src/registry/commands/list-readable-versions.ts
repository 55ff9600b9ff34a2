import { isAllowed } from '../../authorization/can.ts';
import type { Permission } from '../../authorization/domain/permissions.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import type { Task } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import type { ObjectKind } from '../../platform/object-kinds.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { taskTarget } from '../domain/targets.ts';
import type { CompiledTask, TaskTemplate } from '../domain/task-templates.ts';
import { readTasks, type VersionBy } from '../store.ts';

/** A registered version in the form that the compiler needs. */
export interface Registered<Compiled> {
  readonly id: string;
  readonly compiled: Compiled;
}

/** The tasks that the caller may read. Other tasks are absent for everything else, as they are for the caller. */
export const listReadableTasks = (
  caller: Caller,
  keys: readonly EntityKey[],
): Promise<Registered<CompiledTask>[]> =>
  listReadableVersions<Task, CompiledTask>(caller, keys, {
    kind: 'task',
    permission: 'task:read',
    read: (addresses) => readTasks(caller.tenantId, addresses),
    targetOf: taskTarget,
    compiledOf: (row, id) => ({ id, template: row.template as unknown as TaskTemplate }),
  });

/** The versions that the caller may read, in the order of their keys. Hidden and absent ones are left out. */
export async function listReadableVersions<Row extends { readonly id: string }, Compiled>(
  caller: Caller,
  keys: readonly EntityKey[],
  how: {
    readonly kind: ObjectKind;
    readonly permission: Permission;
    read(addresses: readonly VersionBy[]): Promise<(Row | null)[]>;
    targetOf(row: Row): Target;
    compiledOf(row: Row, key: EntityKey): Compiled;
  },
): Promise<Registered<Compiled>[]> {
  if (keys.length === 0) return [];
  const addresses = keys.map((key) => ({ key }));
  const rows = await how.read(addresses);
  const found = await Promise.all(
    addresses.map(async (by, at) => {
      const row = rows[at] ?? null;
      // Also asks about absent versions, so that they take the same statements as hidden ones.
      const isReadable = await isAllowed(caller, how.permission, {
        kind: how.kind,
        key: addressText(by),
        target: async () => row && how.targetOf(row),
      });
      return isReadable && row ? [{ id: row.id, compiled: how.compiledOf(row, by.key) }] : [];
    }),
  );
  return found.flat();
}
