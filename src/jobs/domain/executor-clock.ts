const FIRST_INSTANT = Date.UTC(1970, 0, 1);

/** Whether an executor names a time before 1970, which can only come from a wrong clock. */
export const isBeforeFirstInstant = (at: Date): boolean => at.getTime() < FIRST_INSTANT;
