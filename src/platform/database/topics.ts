/** What processes tell one another about, on one channel of PostgreSQL (notify.ts). */
export type Topic =
  /** An execution has new events. Id: the execution. */
  | 'execution'
  /** An execution wants to be advanced. Id: the execution. */
  | 'advance'
  /** A job set has new events. Id: its owner, such as an execution; of a set without one, its own. */
  | 'job-set'
  /** A pool may have jobs or room. Id: see `poolIdSql`. */
  | 'pool'
  /** An executor has runs to take or to cancel. Id: the executor. */
  | 'executor'
  /** Somebody's sign-in or rights changed. Id: the number of the change. */
  | 'access';

export const CHANNEL = 'slipway';

/**
 * An expression that sends news when the statement that makes the news commits.
 *
 * @param id  an SQL expression.
 */
export const notifySql = (topic: Topic, id: string): string =>
  `pg_notify('${CHANNEL}', '${topic}:' || ${id})::text`;

/** The id of a pool, as an SQL expression: pools of different tenants have the same names. */
export const poolIdSql = (tenantId: string, name: string): string => `${tenantId}::text || '/' || ${name}`;
