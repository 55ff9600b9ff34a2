/**
 * After an outage, executors get the length of a lease to renew before any lease is ended: otherwise whatever was away
 * for a moment, a scheduler or the database, would end them all. An outage is a start, a failure, or a long silence.
 */
export class Grace {
  readonly #lengthMs: number;
  #awakeSince: number | null = null;
  #lastAsked = 0;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Does the work once the grace is over; until then answers false. A failure begins it anew. */
  async after(work: () => Promise<boolean>, now = performance.now()): Promise<boolean> {
    const wasSilent = now - this.#lastAsked > this.#lengthMs / 2;
    this.#lastAsked = now;
    if (this.#awakeSince === null || wasSilent) this.#awakeSince = now;
    if (now - this.#awakeSince < this.#lengthMs) return false;
    try {
      return await work();
    } catch (error) {
      this.#awakeSince = null;
      throw error;
    }
  }
}
