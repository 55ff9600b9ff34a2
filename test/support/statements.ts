/** Counts the statements that reach PostgreSQL, whoever sends them: Prisma, prepared ones, transactions. */
import pg from 'pg';

/** What the server asks by itself, whether or not there is a request. */
const inBackground = [
  /^\/\* behind the answers \*\//,
  /^select clock\.version as clock, change\./,
  /^update credentials as credential set last_used_at/,
];

export const isOfRequests = (text: string) => !inBackground.some((form) => form.test(text));

export async function countStatements<T>(
  work: () => Promise<T>,
): Promise<{ result: T; statements: string[] }> {
  const statements: string[] = [];
  const original = pg.Client.prototype.query;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [query] = args as [string | { text?: string }];
    const text = typeof query === 'string' ? query : (query.text ?? '');
    const flat = text.replaceAll(/\s+/g, ' ').trim();
    if (isOfRequests(flat)) statements.push(flat);
    return (original as (...rest: unknown[]) => unknown).apply(this, args);
  } as typeof original;
  try {
    return { result: await work(), statements };
  } finally {
    pg.Client.prototype.query = original;
  }
}

/** The same, without what comes a moment later by itself: refusals are written to the audit log in batches. */
export async function statementsOf<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  const { result, statements } = await countStatements(work);
  return { result, statements: statements.filter((text) => !text.startsWith('insert into audit_events')) };
}
