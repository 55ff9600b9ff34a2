import { lastIdFirst, type Order, reversed, type SortColumn, textOf } from '../../platform/database/page.ts';

export type TimeOrder =
  | 'STARTED'
  | 'STARTED_DESCENDING'
  | 'UPDATED'
  | 'UPDATED_DESCENDING'
  | 'DURATION'
  | 'DURATION_DESCENDING';
interface TimedRow {
  readonly id: string;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
}

/** What has not begun or ended comes after everything else. */
const NEVER = '9999-12-31T00:00:00.000Z';
const LONGEST = 999_999_999_999_999;

const milliseconds = ({ startedAt, endedAt }: Pick<TimedRow, 'startedAt' | 'endedAt'>): number =>
  startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : LONGEST;

/** The orders that the lists of executions, nodes and attempts share. */
export function timeOrders(alias: string): Readonly<Record<TimeOrder, Order<TimedRow>>> {
  const byTime = (column: string, text: Pick<SortColumn<TimedRow>, 'of' | 'reads'>): Order<TimedRow> => [
    { ...{ column, type: 'timestamptz', direction: 'asc' }, ...text },
    ...reversed(lastIdFirst(alias)),
  ];
  const started = byTime(
    `coalesce(${alias}.started_at, '${NEVER}'::timestamptz)`,
    textOf<TimedRow>()(['startedAt'], ({ startedAt }) => startedAt?.toISOString() ?? NEVER),
  );
  const updated = byTime(
    `${alias}.updated_at`,
    textOf<TimedRow>()(['updatedAt'], ({ updatedAt }) => updatedAt.toISOString()),
  );
  const duration: Order<TimedRow> = [
    {
      column: `coalesce((extract(epoch from ${alias}.ended_at - ${alias}.started_at) * 1000)::bigint, ${LONGEST})`,
      type: 'bigint',
      direction: 'asc',
      ...textOf<TimedRow>()(['startedAt', 'endedAt'], (row) => String(milliseconds(row))),
    },
    ...reversed(lastIdFirst(alias)),
  ];
  return {
    STARTED: started,
    STARTED_DESCENDING: reversed(started),
    UPDATED: updated,
    UPDATED_DESCENDING: reversed(updated),
    DURATION: duration,
    DURATION_DESCENDING: reversed(duration),
  };
}
