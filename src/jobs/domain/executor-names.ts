const nameForm = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Executors and pools have DNS-1123 labels as names. */
export const isExecutorName = (name: string): boolean => nameForm.test(name);
