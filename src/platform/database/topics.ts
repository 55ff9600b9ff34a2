/** The topics of news between processes, on one channel of PostgreSQL (notify.ts). */
export type Topic =
  /** An execution has new events. Id: the execution. */
  | 'execution'
  /** An execution needs a turn. Id: the execution. */
  | 'advance'
  /** An execution of a launch plan that limits them has ended. Id: the launch plan. */
  | 'slot'
  /** A job set has new events. Id: its owner, such as an execution; without an owner, the job set. */
  | 'job-set'
  /** The log of a run has new pieces, or is complete. Id: the run. */
  | 'run-log'
  /** A pool may have jobs to assign or free executors. Id: see `poolIdSql`. */
  | 'pool'
  /** An executor has runs to start or to cancel. Id: the executor. */
  | 'executor'
  /** A schedule was started or resumed. Id: the schedule. */
  | 'schedule'
  /** A trigger has an execution to start. Id: the firing. */
  | 'trigger'
  /** An execution with notifications has ended. Id: the execution. */
  | 'notice'
  /** An execution was deleted, and its job set remains. Id: the execution. */
  | 'remains'
  /** A notification waits to be sent. Id: the delivery. */
  | 'delivery'
  /** The sign-in or the rights of a user have changed. Id: the number of the change. */
  | 'access';

export const CHANNEL = 'slipway';

/**
 * An SQL expression that sends the notification when its transaction commits.
 *
 * @param id  an SQL expression.
 */
export const notifySql = (topic: Topic, id: string): string =>
  `pg_notify('${CHANNEL}', '${topic}:' || ${id})::text`;

/**
 * The id of a pool, as an SQL expression. It contains the tenant, because pools of different tenants can have the same
 * name.
 */
export const poolIdSql = (tenantId: string, name: string): string => `${tenantId}::text || '/' || ${name}`;
