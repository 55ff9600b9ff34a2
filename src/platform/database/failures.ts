/** The meaning of errors of the database, whether they come from Prisma or from pg. */

/** The error code of PostgreSQL (SQLSTATE) in an error of Prisma or pg. */
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

/** A unique key of the table refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  return prismaCode(error) === 'P2002' || sqlState(error) === '23505';
}

/** The row refers to another row that does not exist, or does not exist any more. */
export function isForeignKeyViolation(error: unknown): boolean {
  return prismaCode(error) === 'P2003' || sqlState(error) === '23503';
}

/** Another transaction conflicted with this one. The work can be repeated from the start. */
export function isWriteConflict(error: unknown): boolean {
  return prismaCode(error) === 'P2034' || ['40001', '40P01'].includes(sqlState(error) ?? '');
}

/** Another transaction has held a lock for longer than this one waits. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03';
}

const lostStates = /^(08...|57P0[1-5]|53300)$/;
const lostErrno = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH']);
const lostPrisma = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028']);
const lostMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|the database system is (starting up|shutting down|in recovery)/i;

/** The database cannot be reached or restarts. The caller can try again. */
export function isDatabaseLost(error: unknown): boolean {
  if (lostPrisma.has(prismaCode(error) ?? '')) return true;
  if (lostStates.test(sqlState(error) ?? '')) return true;
  for (let cause: unknown = error, depth = 0; cause && depth < 6; depth += 1) {
    const { code, message, errors, cause: next } = cause as Record<string, unknown>;
    if (typeof code === 'string' && (lostErrno.has(code) || code === 'UNAVAILABLE')) return true;
    if (typeof message === 'string' && lostMessages.test(message)) return true;
    if (Array.isArray(errors) && errors.some(isDatabaseLost)) return true;
    cause = next;
  }
  return false;
}

function prismaCode(error: unknown): string | null {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'PrismaClientKnownRequestError' && typeof code === 'string' ? code : null;
}
