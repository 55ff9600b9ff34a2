import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

const settleStatement = statement<{ id: string }>(
  `update executions set advance_at = case when $2::boolean then now() else $3::timestamptz end, failed_turns = 0
    where id = $1::uuid returning id`,
);

/** Ends a successful turn. `more` asks for another turn at once, `wakeAt` for one at a later time. */
export async function settleExecution(
  tx: Tx,
  id: string,
  more: boolean,
  wakeAt: Date | null = null,
): Promise<void> {
  await run(settleStatement, [id, more, wakeAt], tx);
}

/** The time between failing turns is one second at first and doubles each time, up to this. */
const MAX_BACKOFF_SECONDS = 60;

const countFailedStatement = statement<{ failedTurns: number }>(
  `update executions
      set failed_turns = failed_turns + 1,
          advance_at = now() + least(power(2, least(failed_turns, 10)), ${MAX_BACKOFF_SECONDS}) * interval '1 second'
    where id = $1::uuid returning failed_turns as "failedTurns"`,
);

/** Counts a failed turn and delays the next one. @returns how many turns failed in a row. */
export async function countFailedTurn(id: string): Promise<number> {
  const [row] = await run(countFailedStatement, [id]);
  return row?.failedTurns ?? 0;
}
