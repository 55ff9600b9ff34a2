import { lastIdFirst, type Order, reversed, textOf } from '../../platform/database/page.ts';

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
  const started: Order<TimedRow> = [
    {
      ...{
        column: `coalesce(${alias}.started_at, '${NEVER}'::timestamptz)`,
        type: 'timestamptz',
        direction: 'asc',
      },
      ...textOf<TimedRow>()(['startedAt'], ({ startedAt }) => startedAt?.toISOString() ?? NEVER),
    },
    ...reversed(lastIdFirst(alias)),
  ];
  const updated: Order<TimedRow> = [
    {
      ...{ column: `${alias}.updated_at`, type: 'timestamptz', direction: 'asc' },
      ...textOf<TimedRow>()(['updatedAt'], ({ updatedAt }) => updatedAt.toISOString()),
    },
    ...reversed(lastIdFirst(alias)),
  ];
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
