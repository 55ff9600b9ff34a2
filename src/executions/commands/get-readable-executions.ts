import { refusal } from '../../authorization/can.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { executionTarget } from '../domain/targets.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../store/reads.ts';

/** A further execution that an input may name. */
export interface NamedExecution {
  /** Null names none. */
  readonly by: ExecutionBy | null;
  readonly path: readonly string[];
}

/**
 * Several executions that an input names, with as many statements as for one of them.
 *
 * @returns null for each place that names none.
 * @throws the errors of `getAllowed` for the first one that is refused.
 */
export async function getReadableExecutions(
  caller: Caller,
  named: readonly NamedExecution[],
): Promise<(ExecutionRow | null)[]> {
  const addresses = named.flatMap(({ by }) => by ?? []);
  const rows = (await readExecutions(caller.tenantId, addresses)).values();
  const found = named.map(({ by, path }) => ({ by, path, row: by && (rows.next().value ?? null) }));
  const refused = await Promise.all(
    found.map(({ by, path, row }) =>
      by === null
        ? null
        : refusal(caller, 'execution:read', {
            kind: 'execution',
            key: addressText(by),
            path,
            target: async () => row && executionTarget(row),
          }),
    ),
  );
  const first = refused.find((error) => error !== null);
  if (first) throw first;
  return found.map(({ row }) => row);
}
