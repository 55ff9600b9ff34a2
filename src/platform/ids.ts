import { v5, v7 } from 'uuid';

/** A new id, as UUIDv7, so that ids sort by the time of their creation. An id is never used again. */
export const newId = (): string => v7();

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Whether a text from a caller can be an id at all. If not, the object is simply not found, and the text never reaches
 * SQL. Ids are in lower case: PostgreSQL would also find them in capitals but return lower case, and then comparisons
 * of texts would fail.
 */
export const isId = (text: string): boolean => form.test(text);

/**
 * An id that no object has. We look for it if there is nothing to look for, so that absent and hidden objects take the
 * same statements.
 */
export const NO_ID = '00000000-0000-7000-8000-000000000000';

/**
 * An id that no object has, always the same for the same text. We use it in place of the id of an object that does not
 * exist. So two absent objects have two different ids, as two hidden objects do.
 */
export const idOfNothing = (text: string): string => v5(text, v5.URL);
