import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { LiteralType } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';

/** What a gate waits for. */
export interface NewSignal {
  readonly signalId: string;
  readonly type: LiteralType;
}

const ensureStatement = statement<{ id: string }>(
  `insert into signals (id, tenant_id, execution_id, signal_id, type)
   select asked.id, execution.tenant_id, execution.id, asked."signalId", asked.type
     from json_to_recordset($2::json) as asked(id uuid, "signalId" text, type json)
     join executions as execution on execution.id = $1::uuid
   on conflict (execution_id, signal_id) do nothing
   returning id`,
);

/** Creates signals of an execution that do not exist yet. */
export async function ensureSignals(
  tx: Tx,
  executionId: string,
  signals: readonly NewSignal[],
): Promise<void> {
  if (signals.length === 0) return;
  const asked = signals.map(({ signalId, type }) => ({ id: newId(), signalId, type }));
  await run(ensureStatement, [executionId, JSON.stringify(asked)], tx);
}

const valuesStatement = statement<{ signalId: string; value: Literal }>(
  `select signal_id as "signalId", value from signals
    where execution_id = $1::uuid and signal_id = any($2::text[]) and value is not null`,
);

/** The values of those of these signals that were set. */
export async function readSignalValues(
  tx: Tx,
  executionId: string,
  signalIds: readonly string[],
): Promise<ReadonlyMap<string, Literal>> {
  if (signalIds.length === 0) return new Map();
  const rows = await run(valuesStatement, [executionId, signalIds], tx);
  return new Map(rows.map((row) => [row.signalId, row.value]));
}
