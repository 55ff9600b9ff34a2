import { Prisma } from '../../generated/prisma/client.ts';
import { UnavailableError } from '../errors.ts';
import { db } from './client.ts';

/** What a command hands to the stores inside its transaction. */
export type Tx = Prisma.TransactionClient;

const MAX_TRIES = 5;

/**
 * Runs `work` in one READ COMMITTED transaction, again from the start when PostgreSQL reports a deadlock or a write
 * conflict. So `work` must do nothing outside the database. Its own errors roll back and pass through.
 */
export async function inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.$transaction(work, {
        isolationLevel: 'ReadCommitted',
        maxWait: 10_000,
        timeout: 30_000,
      });
    } catch (error) {
      if (isDatabaseLost(error)) throw new UnavailableError(undefined, { cause: error });
      if (tries === MAX_TRIES || !isWriteConflict(error)) throw error;
    }
  }
}

/** PostgreSQL's own code (SQLSTATE) under an error of Prisma's or pg's. */
export function sqlState(error: unknown): string | null {
  for (let cause: unknown = error, depth = 0; cause && depth < 6; depth += 1) {
    const { code, originalCode, meta, cause: next } = cause as Record<string, unknown>;
    for (const candidate of [originalCode, (meta as Record<string, unknown> | undefined)?.['code'], code]) {
      if (typeof candidate === 'string' && /^[0-9A-Z]{5}$/.test(candidate) && !/^P\d{4}$/.test(candidate))
        return candidate;
    }
    const adapterError = (meta as Record<string, unknown> | undefined)?.['driverAdapterError'];
    cause = adapterError ?? next;
  }
  return null;
}

/** A unique key refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  return prismaCode(error) === 'P2002' || sqlState(error) === '23505';
}

function isWriteConflict(error: unknown): boolean {
  return prismaCode(error) === 'P2034' || ['40001', '40P01'].includes(sqlState(error) ?? '');
}

const lostStates = /^(08...|57P0[1-5]|53300)$/;
const lostErrno = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH']);
const lostPrisma = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028']);
const lostMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|the database system is (starting up|shutting down|in recovery)/i;

/** The database is away or restarting: the caller may try again. */
export function isDatabaseLost(error: unknown): boolean {
  if (lostPrisma.has(prismaCode(error) ?? '')) return true;
  if (lostStates.test(sqlState(error) ?? '')) return true;
  for (let cause: unknown = error, depth = 0; cause && depth < 6; depth += 1) {
    const { code, message, errors, cause: next } = cause as Record<string, unknown>;
    if (typeof code === 'string' && lostErrno.has(code)) return true;
    if (typeof message === 'string' && lostMessages.test(message)) return true;
    if (Array.isArray(errors) && errors.some(isDatabaseLost)) return true;
    cause = next;
  }
  return false;
}

function prismaCode(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof Prisma.PrismaClientKnownRequestError && typeof code === 'string' ? code : null;
}
