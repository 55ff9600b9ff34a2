/** For each phase, the phases that may follow it. A phase that nothing follows is final. */
export type PhaseTable<P extends string> = Readonly<Record<P, readonly P[]>>;

/** The phases that `to` may follow. A store passes them to its statement. */
export function phasesThatMayMoveTo<P extends string>(table: PhaseTable<P>, to: P): P[] {
  return phasesOf(table).filter((from) => table[from].includes(to));
}

export function isTerminal<P extends string>(table: PhaseTable<P>, phase: P): boolean {
  return table[phase].length === 0;
}

/** Every phase of the table, in its order. */
export function phasesOf<P extends string>(table: PhaseTable<P>): P[] {
  return Object.keys(table) as P[];
}
