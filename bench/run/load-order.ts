/** What the process that sends the load is asked to do, and what it answers. */

export interface Order {
  readonly url: string;
  readonly requests: readonly { readonly token: string; readonly body: string }[];
  readonly connections: number;
  readonly seconds: number;
}

export interface Seen {
  readonly answered: number;
  /** Answers with errors, with another status, or without the end of their connection. */
  readonly failed: number;
  /** The first answer with errors; empty if there is none. */
  readonly failure: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
}
