import { mkdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireNamedRuntime } from '../executor/choose-runtime.ts';
import { baseConfig } from '../platform/config/base.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { ConfigurationError, environmentWith } from '../platform/config/environment.ts';
import { serverConfig } from '../platform/config/server.ts';
import { supervisorConfig } from '../platform/config/supervisor.ts';
import { EmbeddedPostgresInUseError } from '../platform/database/embedded.ts';
import { log } from '../platform/log.ts';
import { runProcess } from '../platform/process.ts';
import { requiredSecrets } from '../platform/secrets.ts';
import { readOrMakeSecrets } from './embedded-secret.ts';
import { type SupervisedDatabase, superviseDatabase } from './supervised-database.ts';
import { superviseProcess } from './supervised-process.ts';

/**
 * All of Slipway in one process tree: PostgreSQL, unless DATABASE_URL names one; then server, scheduler and a local
 * executor. Each is started again when it ends. When this process is killed the others notice and end by themselves;
 * PostgreSQL is shut down by the next start.
 *
 *     <home>/processes.json   for operators: process ids by name, and the server's address; gone when the tree is
 *     <home>/secrets          made when SLIPWAY_SECRETS is not set, for the embedded database only
 *
 * With `--watch`, for development, the processes start again when a source file changes.
 */
const processesFile = join(baseConfig.home, 'processes.json');
process.once('exit', () => rmSync(processesFile, { force: true }));

await runProcess('supervisor', start, { stopSeconds: 4 * (baseConfig.drainSeconds + 5) });

async function start() {
  requireNamedRuntime();
  mkdirSync(baseConfig.home, { recursive: true, mode: 0o700 });
  const secrets = chooseSecrets();
  const port = await choosePort();
  let database: SupervisedDatabase | null = null;
  let databaseUrl = controlPlaneConfig.databaseUrl;
  let address: string | undefined;

  const serverEnvironment = () =>
    environmentWith({ DATABASE_URL: databaseUrl, SLIPWAY_SECRETS: secrets, PORT: String(port) });
  const executorEnvironment = () => withoutSecrets(environmentWith({ SLIPWAY_URL: address }));
  const server = superviseProcess('server', siblingScript('server'), serverEnvironment, note);
  const scheduler = superviseProcess('scheduler', siblingScript('scheduler'), serverEnvironment, note);
  const executor = superviseProcess('executor', siblingScript('executor'), executorEnvironment, note);

  function note(): void {
    noteProcesses({
      supervisor: process.pid,
      postgres: database?.pid ?? null,
      server: server.pid,
      scheduler: scheduler.pid,
      executor: executor.pid,
      address: address ?? null,
    });
  }

  function onDatabaseChange(): void {
    note();
    if (!database || database.url === databaseUrl) return;
    databaseUrl = database.url;
    server.restart();
    scheduler.restart();
  }

  if (databaseUrl === undefined) {
    database = await startDatabase(onDatabaseChange);
    databaseUrl = database.url;
  }
  try {
    // It applies the migrations and makes the executor's credential.
    address = await server.start();
    await Promise.all([scheduler.start(), executor.start()]);
  } catch (error) {
    // What is wrong, the process has said itself.
    throw new ConfigurationError((error as Error).message);
  }
  note();
  if (process.argv.includes('--watch')) {
    onSourceChange(() => {
      for (const one of [server, scheduler, executor]) one.restart();
    });
  }
  showReady(address, database !== null);
  return {
    address,
    async stop() {
      await executor.stop();
      await scheduler.stop();
      await server.stop();
      await database?.stop();
    },
  };
}

/** @throws ConfigurationError when another tree runs in this home. */
async function startDatabase(onChange: () => void): Promise<SupervisedDatabase> {
  try {
    return await superviseDatabase(join(baseConfig.home, 'postgres'), onChange);
  } catch (error) {
    throw error instanceof EmbeddedPostgresInUseError ? new ConfigurationError(error.message) : error;
  }
}

/** @throws ConfigurationError */
function chooseSecrets(): string {
  if (!controlPlaneConfig.databaseUrl && !supervisorConfig.embeddedAllowed)
    throw new ConfigurationError(
      'DATABASE_URL is required in production. To run on the embedded PostgreSQL all the same, set SLIPWAY_EMBEDDED=1.',
    );
  if (controlPlaneConfig.secrets || controlPlaneConfig.databaseUrl) return requiredSecrets().join(',');
  return readOrMakeSecrets(baseConfig.home);
}

/** The file beside this one: a source or what it was compiled to, as this one is. */
function siblingScript(name: string): string {
  return join(import.meta.dirname, `${name}${extname(import.meta.filename)}`);
}

/** Whoever runs the jobs of others gets nothing that opens the database. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSecret = (name: string) => /^(DATABASE_URL|SLIPWAY_SECRETS|PG[A-Z]+)$/.test(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isSecret(name)));
}

/**
 * One port for the life of the tree, whichever it is: the server comes back where it was.
 *
 * @throws ConfigurationError when it is taken for longer than a server of an earlier tree takes to leave.
 */
async function choosePort(): Promise<number> {
  for (const until = Date.now() + 5_000; ; await sleep(100)) {
    const port = await tryPort(serverConfig.port);
    if (port !== null) return port;
    if (Date.now() > until)
      throw new ConfigurationError(
        `Port ${serverConfig.port} of ${serverConfig.host} is in use. Stop what uses it, or set PORT.`,
      );
  }
}

/** The port, a free one for 0; null when it is taken. @throws the system's error for a wrong HOST. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    probe.listen(port, serverConfig.host, () => {
      const bound = probe.address();
      probe.close(() => resolve(typeof bound === 'object' && bound ? bound.port : port));
    });
  });
}

function noteProcesses(processes: object): void {
  writeFileSync(`${processesFile}.new`, `${JSON.stringify(processes, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${processesFile}.new`, processesFile);
}

function onSourceChange(listener: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  watch(dirname(import.meta.dirname), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      log.info('a source file has changed');
      listener();
    }, 200);
  });
}

function showReady(address: string | undefined, isEmbedded: boolean): void {
  const data = isEmbedded ? `PostgreSQL under ${baseConfig.home}` : 'PostgreSQL of DATABASE_URL';
  process.stderr.write(
    `\n  Slipway is ready.\n\n    GraphiQL  ${address}/graphql\n    Data      ${data}\n    Stop      Ctrl-C\n\n`,
  );
}
