import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PageArguments, pagedList } from '../../../src/graphql/keyset.ts';
import {
  lastIdFirst,
  newestFirst,
  type Order,
  type Page,
  pageSql,
} from '../../../src/platform/database/page.ts';
import { sql } from '../../../src/platform/database/sql.ts';
import { query } from '../../../src/platform/database/statement.ts';
import { newId } from '../../../src/platform/ids.ts';

interface Row {
  readonly id: string;
  readonly place: number;
}

/** The place ascending and the id descending: both directions in one order. */
const order: Order<Row> = [
  { column: 'item.place', type: 'int', direction: 'asc', of: ({ place }) => String(place) },
  ...lastIdFirst('item'),
];

function listed(rows: readonly Row[], page: Page): Promise<Row[]> {
  const { beyond, end } = pageSql(order, page);
  return query<Row>(sql`
    select item.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as item(id uuid, place int)
     where true ${beyond} ${end}`);
}

async function walk(rows: readonly Row[], size: number, isBackward: boolean): Promise<Row[]> {
  const seen: Row[] = [];
  for (let cursor: string | null = null; ; ) {
    const args: PageArguments = isBackward ? { last: size, before: cursor } : { first: size, after: cursor };
    const { edges, pageInfo } = await pagedList(
      args,
      order,
      (page) => listed(rows, page),
      async () => rows.length,
    );
    const nodes = edges.map(({ node }) => node);
    seen.push(...(isBackward ? nodes.reverse() : nodes));
    cursor = isBackward ? pageInfo.startCursor : pageInfo.endCursor;
    if (!(isBackward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return seen;
  }
}

describe('a page of a list', () => {
  it('shows each row once and in order, for pages of any size, forward and backward', async () => {
    const places = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 5 }), async (drawn, size) => {
        const rows = drawn.map((place) => ({ id: newId(), place }));
        const sorted = [...rows].sort((a, b) => a.place - b.place || (a.id < b.id ? 1 : -1));
        expect(await walk(rows, size, false)).toEqual(sorted);
        expect(await walk(rows, size, true)).toEqual([...sorted].reverse());
      }),
      { numRuns: 20 },
    );
  });

  it('starts in the index where the previous page ended', async () => {
    const page = { limit: 10, backward: false, from: [new Date().toISOString(), newId()] };
    const { beyond, end } = pageSql(newestFirst('execution'), page);
    await query(sql`set enable_seqscan = off`);
    const rows = await query<{ 'QUERY PLAN': string }>(sql`
      explain select execution.id from executions as execution
       where execution.tenant_id = ${newId()}::uuid and execution.project_id = ${newId()}::uuid
         and execution.domain = ${'development'} ${beyond} ${end}`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Cond: .*ROW\(created_at, id\) </);
    expect(plan).not.toContain('Sort');
  });
});
