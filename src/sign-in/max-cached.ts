/** The number of entries of each cache of sign-ins: enough for the callers of a busy day, and a few megabytes at most. */
export const MAX_CACHED = 10_000;
