/** What the process that sends the load is asked to do, and what it answers. */

export interface Order {
  readonly url: string;
  readonly contentType: string;
  readonly requests: readonly { readonly authorization: string; readonly body: string }[];
  readonly connections: number;
  /** The window is so long, and longer if too few answers came. */
  readonly seconds: number;
  /** No request may be sent twice. When the first connection has sent its part, the window ends. */
  readonly isOnce: boolean;
  /** The processes whose CPU time is measured. */
  readonly pids: { readonly server: number; readonly database: number; readonly bench: number };
}

export interface Seen {
  /** All answers, also those before and after the window. */
  readonly answered: number;
  /** Answers with errors, with another status, or without the end of their connection. */
  readonly failed: number;
  /** The first answer with errors; empty if there is none. */
  readonly failure: string;
  /** Null if too few answers came. */
  readonly window: Window | null;
}

/** One window of load on one server. Times are in milliseconds, and CPU time is that of one request. */
export interface Window {
  readonly requestsPerSecond: number;
  readonly serverCpu: number;
  readonly databaseCpu: number;
  readonly p50: number;
  readonly p99: number;
  /** The most memory that the server had. */
  readonly megabytes: number;
  /** How much of a core other processes took. */
  readonly foreign: number;
}
