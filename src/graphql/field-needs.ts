/**
 * What a field needs beyond its resolver, declared on the field itself: `extensions: { longPoll: true } satisfies
 * FieldNeeds`. The guards (src/api/guards.ts) and the cost of an operation (cost.ts) read it.
 */
export interface FieldNeeds {
  /** How many objects a list without pages has, nearly always; or the argument that has an entry for each of them. */
  readonly listSize?: number | string;
  /** What the field costs, where that is more than the objects that it answers. */
  readonly cost?: number;
  /** The mutation may wait for long: the caller's right to it is checked again while it waits. */
  readonly longPoll?: true;
  /** The command itself replaces texts that PostgreSQL cannot store, instead of the whole field being refused. */
  readonly cleansTexts?: true;
}
