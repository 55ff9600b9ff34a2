/** How many entries each cache of sign-ins has at most. */
export const MAX_CACHED = 10_000;
