/**
 * Names that nobody may give: the service keeps them for what it makes itself, such as the workflow around a single
 * task. Source: Flyte's `.flytegen`.
 */
export const isReservedName = (name: string): boolean => name.startsWith('.flytegen');
