import { run, statement } from '../../platform/database/statement.ts';

const areManyStatement = statement<{ areMany: boolean }>(
  `select count(*) >= $2::int as "areMany" from (
     select from oauth2_records
      where kind = 'PushedAuthorizationRequest' and client_row_id = $1::uuid and consumed_at is null
        and expires_at > now()
      limit $2::int
   ) as waiting`,
);

/**
 * Whether this many pushed requests of a client wait for their browsers. A client that asks several times at once may
 * get some more.
 */
export async function arePushedRequestsMany(clientRowId: string, limit: number): Promise<boolean> {
  const [row] = await run(areManyStatement, [clientRowId, limit]);
  return row?.areMany ?? false;
}
