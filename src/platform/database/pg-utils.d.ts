declare module 'pg/lib/utils.js' {
  /** A value in the form in which `pg` sends it. @throws Error for an object that refers to itself. */
  export function prepareValue(value: unknown): string | Uint8Array | null;
}
