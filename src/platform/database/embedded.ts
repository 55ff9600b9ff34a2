import { join } from 'node:path';
import {
  type Cluster,
  createDatabase,
  DATABASE,
  initialise,
  readOrMakePassword,
  USER,
} from './embedded-cluster.ts';
import { chooseAccount, findPackage, makeFolder, type Place, preparePrograms } from './embedded-host.ts';
import {
  end,
  endLeftover,
  hasEnded,
  howItEnded,
  logSince,
  rotateLog,
  type Server,
  startServer,
} from './embedded-process.ts';

export interface EmbeddedPostgresOptions {
  /** Created if it does not exist. The caller must make sure that no other process uses it (../folder-lock.ts). */
  readonly folder: string;
  /** Whether the folder may be a link to another folder if PostgreSQL's user cannot enter it; true by default. */
  readonly mayLink?: boolean;
  /** False for tests: faster and smaller, but a crash of the machine may lose the data. */
  readonly isDurable?: boolean;
  /** Further settings of the server, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** How long the server may take until it accepts connections. After a crash it first replays its log. */
  readonly startSeconds?: number;
}

export interface EmbeddedPostgres {
  /** The address for a superuser. Each embedded server has its own database. */
  readonly url: string;
  readonly pid: number;
  /** Where the data is. */
  readonly place: Place;
  /**
   * Stops the server: it rolls back open transactions, closes connections and writes everything to disk. It is safe to
   * call it again.
   */
  stop(): Promise<void>;
  /**
   * Calls `listener` once with the reason when the server ends without `stop`, or at once if it has already ended. Then
   * `startEmbeddedPostgres` may be called again; it waits for the remaining processes of the dead server.
   */
  onExit(listener: (reason: string) => void): void;
}

const commonSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  cluster_name: 'slipway',
  jit: 'off',
};

const throwAwaySettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  io_method: 'sync',
};

/**
 * Prepares `folder` if this is the first start, starts PostgreSQL on it, and returns when it accepts connections.
 *
 * @throws ConfigurationError if the server does not start; the message ends with the last lines of its log.
 */
export async function startEmbeddedPostgres({
  folder,
  mayLink = true,
  isDurable = true,
  settings = {},
  startSeconds = 120,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = await chooseAccount(join(folder, 'data'));
  const place = await makeFolder(folder, account, mayLink);
  const cluster: Cluster = {
    ...(await preparePrograms(findPackage(), account, place.path)),
    account,
    folder: place.path,
    data: join(place.path, 'data'),
    isDurable,
  };
  await endLeftover(cluster.data);
  const password = await readOrMakePassword(cluster);
  await initialise(cluster);
  await rotateLog(cluster.folder);

  const server = await startServer(cluster, startSeconds, {
    ...commonSettings,
    ...(isDurable ? {} : throwAwaySettings),
    ...settings,
  });
  const addressOf = (database: string) =>
    `postgresql://${USER}:${password}@127.0.0.1:${server.port}/${database}`;
  try {
    await createDatabase(addressOf('postgres'));
  } catch (error) {
    await end(server.pid, () => hasEnded(server.child));
    throw error;
  }
  return { ...supervise(server, cluster), url: addressOf(DATABASE), pid: server.pid, place };
}

function supervise(
  { child, pid, logStart }: Server,
  { folder }: Cluster,
): Pick<EmbeddedPostgres, 'stop' | 'onExit'> {
  const listeners: ((reason: string) => void)[] = [];
  let stopping: Promise<void> | undefined;
  let deathReason: string | undefined;

  const onServerExit = async () => {
    if (stopping !== undefined) return;
    deathReason = `PostgreSQL ended (${howItEnded(child)})${await logSince(folder, logStart)}`;
    for (const listener of listeners) listener(deathReason);
  };
  if (hasEnded(child)) void onServerExit();
  else child.once('exit', () => void onServerExit());

  return {
    stop() {
      stopping ??= end(pid, () => hasEnded(child));
      return stopping;
    },
    onExit(listener) {
      listeners.push(listener);
      if (deathReason !== undefined) listener(deathReason);
    },
  };
}
