import pg from 'pg';
import { prepareValue } from 'pg/lib/utils.js';
import { readInstant } from './stored-instants.ts';

/** What `pg` keeps of a connection, beyond what its types say. */
type Connection = Omit<pg.Connection, 'parse' | 'bind' | 'describe' | 'execute'> & {
  /** The texts of the named statements, by their names: those that PostgreSQL has, and those that are on their way. */
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(values: {
    readonly statement: string;
    readonly values: readonly (string | Uint8Array | null)[];
  }): void;
  describe(portal: { readonly type: 'P' }): void;
  execute(): void;
};

/** How the columns of a statement become the properties of its rows. */
interface Layout {
  readonly names: readonly string[];
  readonly readers: readonly ((text: string) => unknown)[];
  /** Rows are copies of it, so that all rows of a statement have one shape. */
  readonly nulls: Readonly<Record<string, null>>;
}

/** The layouts of the named statements of each connection. PostgreSQL keeps the columns of a prepared statement as they are. */
const layouts = new WeakMap<Connection, Map<string, Layout>>();

function layoutsOf(connection: Connection): Map<string, Layout> {
  const known = layouts.get(connection) ?? new Map<string, Layout>();
  layouts.set(connection, known);
  return known;
}

type Done<Row> = (error: unknown, rows?: Row[]) => void;

/** How a pool or a client runs a query that is not one of its own: its types leave the callback out. */
interface Runner {
  query<Row>(query: PreparedQuery<Row>, callback: Done<Row>): void;
}

/**
 * One run of a prepared statement. `pg` runs it like a query of its own, but its queries ask PostgreSQL for the columns
 * each time, and work out anew how to read them. Here that happens once for each statement of a connection.
 */
export class PreparedQuery<Row> implements pg.Submittable {
  readonly name: string;
  readonly text: string;
  /** As they are sent. */
  readonly values: readonly (string | Uint8Array | null)[];
  readonly #rows: Row[] = [];
  #layout: Layout | undefined;
  #known: Map<string, Layout> | undefined;
  #unreadable: unknown = null;
  #isSent = false;
  #followers: readonly PreparedQuery<unknown>[] = [];
  #began = 0;
  /** How long a connection was busy with it; 0 before it has ended. */
  milliseconds = 0;
  /** Called once when the connection can run the next query, before who asked is told. */
  whenEnded: ((error: unknown) => void) | undefined;
  /** `pg` sets it, and expects that it is called once. */
  callback: Done<Row> | undefined;

  /**
   * @param name  empty for a statement that is used once.
   * @throws Error for a value that cannot be sent.
   */
  constructor({ name, text }: { readonly name: string; readonly text: string }, values: readonly unknown[]) {
    this.name = name;
    this.text = text;
    this.values = values.map(prepareValue);
  }

  /** @throws Error if the connection is lost, or what PostgreSQL reports. */
  async runOn(queryable: pg.Pool | pg.PoolClient): Promise<Row[]> {
    return await this.answeredTo((done) => this.start(queryable, done));
  }

  start(queryable: pg.Pool | pg.PoolClient, done: Done<Row>): void {
    (queryable as unknown as Runner).query<Row>(this, done);
  }

  /**
   * Sends these queries in the same write as this one. Each of them ends its own transaction, so it fails or succeeds by
   * itself. The same connection must run them next, in this order.
   */
  sendWith(followers: readonly PreparedQuery<unknown>[]): void {
    this.#followers = followers;
  }

  /** @throws Error as `runOn`. */
  async answeredTo(begin: (done: Done<Row>) => void): Promise<Row[]> {
    try {
      return await new Promise((resolve, reject) => {
        begin((error, rows) => (error ? reject(error) : resolve(rows as Row[])));
      });
    } catch (error) {
      // The error was made where the socket is read. Who asked is what helps.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    }
  }

  submit(unknown: pg.Connection): void {
    this.#began = performance.now();
    // It has left with another query.
    if (this.#isSent) return;
    const connection = unknown as unknown as Connection;
    // All messages leave together.
    connection.stream.cork();
    try {
      this.#send(connection);
      for (const follower of this.#followers) follower.#send(connection);
    } finally {
      connection.stream.uncork();
    }
  }

  #send(connection: Connection): void {
    this.#isSent = true;
    const { name, text } = this;
    this.#known = layoutsOf(connection);
    this.#layout = this.#known.get(name);
    const { parsedStatements: parsed, submittedNamedStatements: submitted } = connection;
    if (parsed[name] === undefined && submitted[name] === undefined) {
      connection.parse({ name, text });
      if (name !== '') submitted[name] = text;
    }
    connection.bind({ statement: name, values: this.values });
    if (!this.#layout) connection.describe({ type: 'P' });
    connection.execute();
    connection.sync();
  }

  #end(error: unknown): void {
    this.milliseconds = performance.now() - this.#began;
    this.whenEnded?.(error);
  }

  handleRowDescription({ fields }: { readonly fields: readonly pg.FieldDef[] }): void {
    this.#layout = {
      names: fields.map(({ name }) => name),
      readers: fields.map(({ dataTypeID }) => readerOf(dataTypeID)),
      nulls: Object.fromEntries(fields.map(({ name }) => [name, null])),
    };
    if (this.name !== '') this.#known?.set(this.name, this.#layout);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const { names, readers, nulls } = this.#layout as Layout;
    const row: Record<string, unknown> = { ...nulls };
    try {
      for (let at = 0; at < names.length; at += 1) {
        const text = fields[at];
        if (text != null) row[names[at] as string] = readers[at]?.(text);
      }
    } catch (error) {
      // `pg` would lose the connection by an error here. The rest of the answer must still arrive.
      this.#unreadable ??= error;
    }
    this.#rows.push(row as Row);
  }

  handleCommandComplete(): void {
    // The rows are complete only when PostgreSQL is ready for the next query.
  }

  handleError(error: unknown): void {
    this.#end(error);
    this.callback?.(error);
  }

  handleReadyForQuery(): void {
    this.#end(null);
    if (this.#unreadable) this.callback?.(this.#unreadable);
    else this.callback?.(null, this.#rows);
  }
}

/** In rows, `int8` is a bigint. */
function readerOf(oid: number): (text: string) => unknown {
  if (oid === pg.types.builtins.INT8) return BigInt;
  if (oid === pg.types.builtins.TIMESTAMPTZ) return readInstant;
  return pg.types.getTypeParser(oid, 'text');
}
