/** How a schedule or a trigger of an active version is doing: the columns that both have. */
export interface StartStatus {
  readonly activatedById: string;
  readonly activatedAt: Date;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorAt: Date | null;
  readonly pausedAt: Date | null;
  readonly pausedById: string | null;
  readonly pauseReason: string | null;
}

/** These columns of a table, for a statement that reads it. */
export const startStatusColumns = (table: string): string => `
  ${table}.activated_by_id as "activatedById", ${table}.activated_at as "activatedAt",
  ${table}.error_code as "errorCode", ${table}.error_message as "errorMessage", ${table}.error_at as "errorAt",
  ${table}.paused_at as "pausedAt", ${table}.paused_by_id as "pausedById", ${table}.pause_reason as "pauseReason"`;
