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

/** A step of a plan, as `explain (analyze, buffers, format json)` tells it. */
export interface PlanNode {
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
