/** After this many attempts, a delivery is dead. */
export const MAX_ATTEMPTS = 10;

const FIRST_PAUSE_SECONDS = 10;
const MAX_PAUSE_SECONDS = 3600;

/** How long to wait after the n-th failed attempt: 10 s, and each time twice as long, up to an hour. */
export const pauseSeconds = (attempts: number): number =>
  Math.min(FIRST_PAUSE_SECONDS * 2 ** (attempts - 1), MAX_PAUSE_SECONDS);

/** How an attempt ended. */
export interface AttemptResult {
  readonly isDelivered: boolean;
  /** Whether another attempt is useless. */
  readonly isFinal?: boolean;
  /** The HTTP status of a webhook. */
  readonly statusCode?: number | null;
  /** What went wrong, for people; it says nothing about our network. */
  readonly error?: string | null;
}
