/**
 * The beginning of names that callers cannot give. The server uses them for its own objects, such as the workflow around
 * a single task. Source: Flyte's `.flytegen`.
 */
export const reservedPrefix = '.flytegen';

export const isReservedName = (name: string): boolean => name.startsWith(reservedPrefix);
