/** How much larger the literals of values may be than the plain values, which the limits of users are about. */
export const LITERALS_PER_PLAIN = 4;
