import type pg from 'pg';
import { pool } from './client.ts';
import type { PreparedQuery } from './prepared-query.ts';

/**
 * Reads that begin in the same turn of the event loop share connections: all that one connection gets leaves in one
 * write, and PostgreSQL answers one read after the other (pipelining). Under load, most of the time of a short read is
 * the write, and the waking of PostgreSQL.
 *
 * A read waits for those before it on its connection. So only reads that take no locks are pipelined, a few at a time,
 * and only while they are quick.
 */

/** So many reads share a connection. */
const MAX_TOGETHER = 8;
/** A read that took longer runs alone for some time. It includes what the server does until it sees the answer. */
const LONG_MS = 25;
/** How much of a long time is left after each quick run. */
const FADING = 0.9;

interface Read {
  readonly query: PreparedQuery<unknown>;
  readonly done: (error: unknown, rows?: unknown[]) => void;
}

/** What the latest runs of each statement took, by its name. Statements that have not run yet are absent. */
const recentMs = new Map<string, number>();
let waiting: Read[] = [];
/** Also under a test's own clock. */
const afterThisTurn = setImmediate;

/** Runs a statement that changes nothing and takes no locks. @throws Error as `PreparedQuery.runOn`. */
export async function runRead<Row>(query: PreparedQuery<Row>): Promise<Row[]> {
  const { name } = query;
  const recent = recentMs.get(name);
  try {
    return await (recent === undefined || recent > LONG_MS ? query.runOn(pool) : share(query));
  } finally {
    recentMs.set(name, Math.max(query.milliseconds, (recent ?? 0) * FADING));
  }
}

function share<Row>(query: PreparedQuery<Row>): Promise<Row[]> {
  return query.answeredTo((done) => {
    waiting.push({ query, done } as Read);
    if (waiting.length === 1) afterThisTurn(sendWaiting);
  });
}

function sendWaiting(): void {
  const reads = waiting;
  waiting = [];
  for (const some of inParts(reads)) sendTogether(some);
}

/** Parts of the same size, as far as possible. */
function inParts(reads: readonly Read[]): Read[][] {
  const count = Math.ceil(reads.length / MAX_TOGETHER);
  const border = (at: number) => Math.round((at * reads.length) / count);
  return Array.from({ length: count }, (_, at) => reads.slice(border(at), border(at + 1)));
}

function sendTogether(reads: readonly Read[]): void {
  pool.connect((error, client, release) => {
    if (error || !client) for (const { done } of reads) done(error);
    else runTogether(reads, client, release);
  });
}

function runTogether(reads: readonly Read[], client: pg.PoolClient, release: (error?: Error) => void): void {
  // The reads themselves are told.
  const ignore = () => {};
  client.on('error', ignore);
  let failure: unknown;
  const end = () => {
    client.off('error', ignore);
    release(failure as Error | undefined);
  };
  const runFrom = (at: number): void => {
    const read = reads[at];
    if (read) {
      read.query.whenEnded = (error) => {
        failure ??= error;
        runFrom(at + 1);
      };
      read.query.start(client, read.done);
    } else end();
  };
  reads[0]?.query.sendWith(reads.slice(1).map(({ query }) => query));
  runFrom(0);
}
