/** The names of executors, pools, retry policies and namespaces are DNS-1123 labels. */
const form = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const isDnsLabel = (name: string): boolean => form.test(name);
