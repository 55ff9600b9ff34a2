import { v7, validate, version } from 'uuid';

/** A new id: UUIDv7, so that ids sort by the time they were made. Never reused. */
export const newId = (): string => v7();

/** Whether a text that a caller gave can be an id at all. What cannot is simply not found; it never reaches SQL. */
export const isId = (text: string): boolean => validate(text) && version(text) === 7;
