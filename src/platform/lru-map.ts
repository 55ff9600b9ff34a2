/** A map of at most `limit` entries: one too many pushes out the one that was asked for least recently. */
export class LruMap<Key, Value extends object> {
  readonly #limit: number;
  readonly #entries = new Map<Key, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (!value) return undefined;
    // A Map keeps the order of insertion: the oldest stands first.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** @returns the key that was pushed out, if one was. */
  set(key: Key, value: Value): Key | undefined {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return undefined;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
    return oldest;
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
