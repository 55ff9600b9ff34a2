import { v5, v7 } from 'uuid';

/** A new id: UUIDv7, so that ids sort by the time they were made. Never reused. */
export const newId = (): string => v7();

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Whether a text that a caller gave can be an id at all. What cannot is simply not found; it never reaches SQL. Ids are
 * lower case: PostgreSQL would find them in capitals too, but answer in lower case, and then nothing is the same text.
 */
export const isId = (text: string): boolean => form.test(text);

/** An id that nothing has: to be looked for where there is nothing, so that absent and hidden things cost the same. */
export const NO_ID = '00000000-0000-7000-8000-000000000000';

/**
 * An id that nothing has, the same for the same text: to be asked about in place of an object that is not there. Two
 * absent objects then have two ids, as two hidden ones have.
 */
export const idOfNothing = (text: string): string => v5(text, v5.URL);
