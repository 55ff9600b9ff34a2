/** Statements that some work sends, and what PostgreSQL says that it reads for them. */
import pg from 'pg';
import { onTestFinished } from 'vitest';

export interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The statements that this work sends, those that `counts` wants. */
export async function sentBy(
  work: () => Promise<unknown>,
  counts: (text: string) => boolean,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const original = pg.Client.prototype.query;
  const restore = () => {
    pg.Client.prototype.query = original;
  };
  onTestFinished(restore);
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [first, second] = args as [string | { text: string; values?: unknown[] }, unknown[] | undefined];
    const text = typeof first === 'string' ? first : first.text;
    const values = typeof first === 'string' ? second : first.values;
    if (counts(text)) sent.push({ text, values: values ?? [] });
    return (original as (...rest: unknown[]) => unknown).apply(this, args);
  } as typeof original;
  await work();
  restore();
  return sent;
}

/**
 * The plans of the statements that this work sends, those that `counts` wants, with what each step did. Each statement is
 * explained and undone before it is sent.
 */
export async function plansOf(
  work: () => Promise<unknown>,
  counts: (text: string) => boolean,
): Promise<PlanNode[]> {
  const plans: Promise<PlanNode>[] = [];
  const inTransaction = new WeakSet<pg.Client>();
  const original = pg.Client.prototype.query;
  const restore = () => {
    pg.Client.prototype.query = original;
  };
  onTestFinished(restore);
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const send = original as (...rest: unknown[]) => Promise<pg.QueryResult>;
    const [first] = args as [string | { text: string; values?: unknown[] }];
    const { text, values = [] } = typeof first === 'string' ? { text: first } : first;
    if (/^begin/i.test(text)) inTransaction.add(this);
    if (/^(commit|rollback)$/i.test(text)) inTransaction.delete(this);
    if (counts(text)) {
      const [mark, undo] = inTransaction.has(this)
        ? ['savepoint explained', 'rollback to savepoint explained']
        : ['begin', 'rollback'];
      send.call(this, mark);
      const explained = send.call(this, { text: `explain (analyze, format json) ${text}`, values });
      plans.push(explained.then(({ rows }) => rows[0]['QUERY PLAN'][0].Plan));
      send.call(this, undo);
    }
    return send.apply(this, args);
  } as typeof original;
  await work();
  restore();
  return await Promise.all(plans);
}

/** The plan of a statement that PostgreSQL has made without its values, as it does after some executions. */
export async function genericPlanOf(client: pg.ClientBase, { text, values }: Sent): Promise<PlanNode> {
  await client.query('set plan_cache_mode = force_generic_plan');
  await client.query(`prepare explained as ${text}`);
  const { rows } = await client.query(
    `explain (analyze, format json) execute explained${argumentsOf(values)}`,
  );
  await client.query('deallocate explained');
  await client.query('reset plan_cache_mode');
  return rows[0]['QUERY PLAN'][0].Plan;
}

/** A step of a plan, as `explain (analyze, buffers, format json)` tells it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows of a table the plan has looked at. */
export function rowsOf(node: PlanNode, table: string): number {
  const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  const below = (node.Plans ?? []).reduce((all, one) => all + rowsOf(one, table), 0);
  return below + (node['Relation Name'] === table ? own : 0);
}

/** How many rows the plan has read from the queries of its `with`, each row as often as it was read. */
export function rowsOfQueries(node: PlanNode): number {
  const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  const below = (node.Plans ?? []).reduce((all, one) => all + rowsOfQueries(one), 0);
  return below + (node['Node Type'] === 'CTE Scan' ? own : 0);
}

/** The values of a statement as SQL, for `execute`. */
export const argumentsOf = (values: readonly unknown[]): string =>
  values.length === 0 ? '' : `(${values.map(literal).join(', ')})`;

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `'{${value.join(',')}}'`;
  return pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
}
