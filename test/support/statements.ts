/** The statements that go to PostgreSQL, whoever sends them: Prisma, prepared ones, transactions. */
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { accessFeed } from '../../src/authorization/feed.ts';

/** What the server asks by itself, whether or not there is a request. */
const inBackground = [
  /^\/\* behind the answers \*\//,
  /^select clock\.version as clock, change\./,
  /^update credentials as credential set last_used_at/,
];

export const isOfRequests = (text: string) => !inBackground.some((form) => form.test(text));

type Send = (args: unknown[]) => unknown;

/** Has each statement go through `pass`, which sends it. @returns what ends that. */
function intercept(pass: (text: string, args: unknown[], send: Send) => unknown): () => void {
  const original = pg.Client.prototype.query;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [query] = args as [string | { text?: string }];
    const text = (typeof query === 'string' ? query : (query.text ?? '')).replaceAll(/\s+/g, ' ').trim();
    return pass(text, args, (sent) => (original as (...rest: unknown[]) => unknown).apply(this, sent));
  } as typeof original;
  return () => {
    pg.Client.prototype.query = original;
  };
}

export async function countStatements<T>(
  work: () => Promise<T>,
): Promise<{ result: T; statements: string[] }> {
  const statements: string[] = [];
  const goOn = await holdFresh();
  const stop = intercept((text, args, send) => {
    if (isOfRequests(text)) statements.push(text);
    return send(args);
  });
  try {
    return { result: await work(), statements };
  } finally {
    stop();
    goOn();
  }
}

/** The statements of some work, and how many rows they answered in total. */
export async function countRows<T>(
  work: () => Promise<T>,
): Promise<{ result: T; statements: string[]; rows: number }> {
  const statements: string[] = [];
  let rows = 0;
  const count = (answer: unknown) => {
    // Prepared statements answer their rows, and `pg` answers a result that has them.
    const answered = Array.isArray(answer) ? answer : (answer as { rows?: unknown[] } | undefined)?.rows;
    rows += answered?.length ?? 0;
  };
  const stop = intercept((text, args, send) => {
    if (!isOfRequests(text)) return send(args);
    statements.push(text);
    const callback = args.at(-1);
    if (typeof callback === 'function')
      return send([
        ...args.slice(0, -1),
        (error: unknown, answer: unknown) => {
          count(answer);
          callback(error, answer);
        },
      ]);
    return (send(args) as Promise<unknown>).then((answer) => {
      count(answer);
      return answer;
    });
  });
  try {
    return { result: await work(), statements, rows };
  } finally {
    stop();
  }
}

/**
 * On a busy machine the feed of access changes may be read late, and then each request reads its sign-in again. While
 * statements are counted, a feed that answers stays fresh. @returns a function that ends this.
 */
async function holdFresh(): Promise<() => void> {
  if (!accessFeed.isFresh) await accessFeed.catchUp();
  if (!accessFeed.isFresh || Object.hasOwn(accessFeed, 'isFresh')) return () => {};
  Object.defineProperty(accessFeed, 'isFresh', { value: true, configurable: true });
  return () => void Reflect.deleteProperty(accessFeed, 'isFresh');
}

/** The same, without what comes a moment later by itself: refusals are written to the audit log in batches. */
export async function statementsOf<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  const { result, statements } = await countStatements(work);
  return { result, statements: statements.filter((text) => !text.startsWith('insert into audit_events')) };
}

/**
 * The same, with the database as if all statements that are under way took the same time: their answers are handed on
 * together. Reads that follow from two of them are then always asked for together, whichever was quicker.
 */
export async function statementsInRounds<T>(
  work: () => Promise<T>,
): Promise<{ result: T; statements: string[] }> {
  let underWay = 0;
  let answered: (() => void)[] = [];
  const handOn = async () => {
    // What follows from the last answers begins within these turns.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    if (underWay > 0) return;
    const answers = answered;
    answered = [];
    for (const answer of answers) answer();
  };
  const end = (answer: () => void) => {
    answered.push(answer);
    underWay -= 1;
    if (underWay === 0) void handOn();
  };
  const stop = intercept((text, args, send) => {
    if (!isOfRequests(text)) return send(args);
    underWay += 1;
    const callback = args.at(-1);
    if (typeof callback === 'function')
      return send([...args.slice(0, -1), (...answer: unknown[]) => end(() => callback(...answer))]);
    const sent = send(args) as Promise<unknown>;
    return new Promise((resolve) => {
      sent.finally(() => end(() => resolve(sent))).catch(() => {});
    });
  });
  try {
    return await statementsOf(work);
  } finally {
    stop();
  }
}

export interface HeldAnswers {
  /** How many answers have come from the database and wait here. */
  readonly held: number;
  /** Lets them through, and all that follow. */
  release(): void;
}

/**
 * Holds the answers to statements that match, at most until the test ends: the database has done its part, and nobody
 * here knows it yet.
 */
export function holdAnswers(form: RegExp): HeldAnswers {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let held = 0;
  const wait = () => {
    held += 1;
    return gate;
  };
  const stop = intercept((text, args, send) => {
    if (!form.test(text)) return send(args);
    const callback = args.at(-1);
    if (typeof callback === 'function')
      return send([
        ...args.slice(0, -1),
        (...answer: unknown[]) => void wait().then(() => callback(...answer)),
      ]);
    return (send(args) as Promise<unknown>).then((answer) => wait().then(() => answer));
  });
  const release = () => {
    stop();
    open();
  };
  onTestFinished(release);
  return {
    get held() {
      return held;
    },
    release,
  };
}

/** In place of `pool.query`: nothing is sent, and whoever asks gets this error. */
export const failingWith = (error: Error) =>
  ((...args: unknown[]) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return Promise.reject(error);
    return void callback(error);
  }) as never;
