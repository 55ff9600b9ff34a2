/**
 * What a field needs in addition to its resolver. The field itself declares it: `extensions: { longPoll: true }
 * satisfies FieldNeeds`. The guards (src/api/guards.ts) and the cost of an operation (cost.ts) read it.
 */
export interface FieldNeeds {
  /** The columns of its row that the resolver reads: see reads.ts. */
  readonly reads?: readonly string[];
  /** How many objects a list without pages usually has, or the argument that has one entry for each of them. */
  readonly listSize?: number | string;
  /** The cost of the field, if it is more than the objects that it answers. */
  readonly cost?: number;
  /** The mutation may wait for a long time. The caller's right to it is checked again while it waits. */
  readonly longPoll?: true;
  /** The command itself replaces texts that PostgreSQL cannot store. Otherwise, such texts are refused. */
  readonly cleansTexts?: true;
}
