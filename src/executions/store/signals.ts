import { eachAt } from '../../platform/by-address.ts';
import { filterSql } from '../../platform/database/filter-sql.ts';
import { countOfEach, lastIdFirst, type Page, pageOfEach } from '../../platform/database/page.ts';
import { type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { FilterTerm } from '../../platform/flyte-filters.ts';
import { newId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import type { LiteralType } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';
import { signalFilters } from './filter-columns.ts';

export interface SignalRow {
  readonly id: string;
  readonly executionId: string;
  readonly signalId: string;
  readonly type: LiteralType;
  /** Null until it is set. */
  readonly value: Literal | null;
  readonly setAt: Date | null;
  readonly setById: string | null;
  readonly createdAt: Date;
}

const signalColumns = `
  signal.id, signal.execution_id as "executionId", signal.signal_id as "signalId", signal.type, signal.value,
  signal.set_at as "setAt", signal.set_by_id as "setById", signal.created_at as "createdAt"`;

export const signalsOfExecutions = {
  columns: signalColumns,
  source: 'signals as signal',
  parent: 'signal.execution_id',
  order: lastIdFirst('signal'),
};

/** The signals of each execution, newest first: one page, and one more row if there is one. */
export const readSignalsOfExecutions = (executionIds: readonly string[], page: Page) =>
  query<SignalRow>(pageOfEach(signalsOfExecutions, executionIds, page));

export const countSignalsOfExecutions = (executionIds: readonly string[]) =>
  query<ChildCount>(countOfEach(signalsOfExecutions, executionIds));

function signalsOf(executionId: string, filters: readonly FilterTerm[]): Rows {
  const { own } = filterSql(filters, signalFilters);
  const from = sql`signals as signal join executions as execution on execution.id = signal.execution_id
      join projects as project on project.id = execution.project_id
     where signal.execution_id = ${executionId}::uuid ${own}`;
  return { from, isAdHoc: filters.length > 0 };
}

/** The signals of one execution that meet Flyte's filters, newest first: one page, and one more row if there is one. */
export const listSignals = (executionId: string, filters: readonly FilterTerm[], page: Page) =>
  list<SignalRow>(signalsOf(executionId, filters), raw(signalColumns), signalsOfExecutions.order, page);

export const countSignals = (executionId: string, filters: readonly FilterTerm[]) =>
  count(signalsOf(executionId, filters));

const findStatement = statement<SignalRow>(
  `select ${signalColumns} from signals as signal where signal.execution_id = $1::uuid and signal.signal_id = $2`,
);

/** A signal of an execution; null if it does not exist. */
export async function findSignal(executionId: string, signalId: string): Promise<SignalRow | null> {
  const [row] = await run(findStatement, [executionId, signalId]);
  return row ?? null;
}

/** What identifies a signal: its execution, and its id in the workflow. */
export interface SignalKey {
  readonly executionId: string;
  readonly signalId: string;
}

const byKeys = statement<SignalRow>(
  `select ${signalColumns} from unnest($1::uuid[], $2::text[]) as asked(execution_id, signal_id)
     join signals as signal on signal.execution_id = asked.execution_id and signal.signal_id = asked.signal_id`,
);

/** One signal or null for each key, in the order of the keys. */
export async function readSignals(keys: readonly SignalKey[]): Promise<(SignalRow | null)[]> {
  const rows = await run(byKeys, [
    keys.map(({ executionId }) => executionId),
    keys.map(({ signalId }) => signalId),
  ]);
  const textOf = ({ executionId, signalId }: SignalKey) => JSON.stringify([executionId, signalId]);
  return eachAt(
    keys,
    textOf,
    rows.map((row) => [textOf(row), row]),
  );
}

const ensureOneStatement = statement<SignalRow & { readonly hasOtherType: boolean }>(
  `with signal as (
     insert into signals as known (id, tenant_id, execution_id, signal_id, type)
     select $2::uuid, execution.tenant_id, execution.id, $3, $4::json
       from executions as execution where execution.id = $1::uuid
     on conflict (execution_id, signal_id) do update set signal_id = known.signal_id
     returning *
   )
   select ${signalColumns}, signal.type::jsonb <> $4::jsonb as "hasOtherType" from signal`,
);

/**
 * Creates a signal, or finds the one that has the id. A foreign key refuses this if the execution is deleted meanwhile.
 *
 * @returns also whether that one has another type; null if the execution does not exist.
 */
export async function ensureSignal(executionId: string, { signalId, type }: NewSignal) {
  const [row] = await run(ensureOneStatement, [executionId, newId(), signalId, JSON.stringify(type)]);
  return row ?? null;
}

const setStatement = statement<SignalRow>(
  `with execution as (
     update executions set advance_at = now() where id = $1::uuid and ended_at is null returning id
   ),
   signal as (
     update signals set value = $3::json, set_at = now(), set_by_id = $4::uuid
       from execution where signals.execution_id = execution.id and signals.signal_id = $2
     returning signals.*
   )
   select ${signalColumns}, ${notifySql('advance', 'signal.execution_id')} from signal`,
);

/** Sets the value, and gives the execution a turn. @returns null if the execution has ended. */
export async function setSignalValue(
  executionId: string,
  signalId: string,
  value: Literal,
  userId: string,
): Promise<SignalRow | null> {
  const [row] = await run(setStatement, [executionId, signalId, JSON.stringify(value), userId]);
  return row ?? null;
}

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
