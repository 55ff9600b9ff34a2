/**
 * After an outage, executors have time to renew their leases, as long as a lease lasts, before any lease ends. Without
 * this, a short outage of the scheduler or the database would end all leases. A start, a failure and a long silence
 * count as an outage.
 */
export class Grace {
  readonly #lengthMs: number;
  #awakeSince: number | null = null;
  #lastAsked = 0;

  constructor(lengthSeconds: number) {
    this.#lengthMs = lengthSeconds * 1000;
  }

  /** Does the work after this time is over; before that, it returns false. A failure starts the time again. */
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
