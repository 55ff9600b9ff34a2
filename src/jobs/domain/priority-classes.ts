/** Jobs of a higher class go before those of a lower one, whatever the shares of their queues are. */
export interface PriorityClass {
  readonly name: string;
  /** Higher numbers go first. */
  readonly priority: number;
  /** Whether jobs of this class make room for others. */
  readonly isPreemptible: boolean;
}

/** The class with this name; the first one for none; undefined if there is no such class. */
export const classNamed = (
  classes: readonly PriorityClass[],
  name: string | null,
): PriorityClass | undefined => (name === null ? classes[0] : classes.find((one) => one.name === name));

/** The class of work that may be interrupted: the first one whose jobs make room for others, or else the first one. */
export const interruptibleClass = (classes: readonly PriorityClass[]): PriorityClass | undefined =>
  classes.find(({ isPreemptible }) => isPreemptible) ?? classes[0];
