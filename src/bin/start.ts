import '../platform/plain-faults.ts';
import { watch } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireNamedRuntime } from '../executor/choose-runtime.ts';
import { baseConfig } from '../platform/config/base.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { ConfigurationError, environmentWith } from '../platform/config/environment.ts';
// A wrong value must stop this process, too, before it starts the scheduler.
import '../platform/config/scheduler.ts';
import { serverConfig } from '../platform/config/server.ts';
import { supervisorConfig } from '../platform/config/supervisor.ts';
import type { EmbeddedPostgres } from '../platform/database/embedded.ts';
import { inHome } from '../platform/in-home.ts';
import { listen, PortInUseError } from '../platform/listen.ts';
import { log } from '../platform/log.ts';
import { type Ending, runProcess } from '../platform/process.ts';
import { requiredSecrets } from '../platform/secrets.ts';
import { type Home, openHome, readOrMakeSecrets } from './home.ts';
import { superviseDatabase } from './supervised-database.ts';
import { superviseProcess } from './supervised-process.ts';

/**
 * All of Slipway in one process tree: PostgreSQL, unless DATABASE_URL is set; then a server, a scheduler and a local
 * executor. Each process is started again when it ends. However this process ends, the others notice it and end too.
 *
 * With `--watch`, for development, the processes start again when a source file changes.
 */
await runProcess('supervisor', start, { stopSeconds: 4 * (baseConfig.drainSeconds + 5) });

async function start(ending: Ending) {
  requireNamedRuntime();
  requireDatabaseChoice();
  const home = await inHome(() => openHome(baseConfig.home));
  const secrets = await inHome(chooseSecrets);
  const port = await choosePort(home);
  let databaseUrl = controlPlaneConfig.databaseUrl;
  let address: string | undefined;

  const serverEnvironment = () =>
    environmentWith({ DATABASE_URL: databaseUrl, SLIPWAY_SECRETS: secrets, PORT: String(port) });
  const executorEnvironment = () => withoutSecrets(environmentWith({ SLIPWAY_URL: address }));
  const database = superviseDatabase(
    { folder: join(baseConfig.home, 'postgres'), mayLink: !baseConfig.production },
    onDatabaseChange,
  );
  const server = superviseProcess('server', siblingScript('server'), serverEnvironment, note);
  const scheduler = superviseProcess('scheduler', siblingScript('scheduler'), serverEnvironment, note);
  const executor = superviseProcess('executor', siblingScript('executor'), executorEnvironment, note);

  function note(): void {
    home.noteProcesses({
      supervisor: process.pid,
      postgres: database.pid,
      server: server.pid,
      scheduler: scheduler.pid,
      executor: executor.pid,
      address: address ?? null,
    });
  }

  function onDatabaseChange(changed: EmbeddedPostgres | null): void {
    note();
    if (changed === null || changed.url === databaseUrl) return;
    databaseUrl = changed.url;
    server.restart();
    scheduler.restart();
  }

  let data = 'the PostgreSQL of DATABASE_URL';
  if (databaseUrl === undefined) {
    ending.add(database.stop);
    const embedded = await inHome(database.start);
    databaseUrl = embedded.url;
    data = describePlace(embedded);
  }
  ending.add(server.stop);
  // The server applies the migrations and creates the executor's credential.
  address = await server.start();
  ending.add(scheduler.stop);
  ending.add(executor.stop);
  await Promise.all([scheduler.start(), executor.start()]);
  note();
  if (process.argv.includes('--watch')) {
    onSourceChange(() => {
      for (const one of [server, scheduler, executor]) one.restart();
    });
  }
  process.stderr.write(
    `\n  Slipway is ready.\n\n    GraphiQL  ${address}/graphql\n    Data      ${data}\n    Stop      Ctrl-C\n\n`,
  );
  return address === undefined ? {} : { address };
}

/** @throws ConfigurationError */
function requireDatabaseChoice(): void {
  if (controlPlaneConfig.databaseUrl === undefined && !supervisorConfig.embeddedAllowed)
    throw new ConfigurationError(
      'DATABASE_URL is required in production. To use the embedded PostgreSQL in production, set SLIPWAY_EMBEDDED=1.',
    );
}

/** @throws ConfigurationError */
function chooseSecrets(): string {
  const isEmbedded = controlPlaneConfig.databaseUrl === undefined;
  if (controlPlaneConfig.secrets || !isEmbedded) return requiredSecrets().join(',');
  return readOrMakeSecrets(baseConfig.home);
}

/** A file beside this one. It is a source file or a compiled file, as this one is. */
function siblingScript(name: string): string {
  return join(import.meta.dirname, `${name}${extname(import.meta.filename)}`);
}

/** The executor runs code of users, so it gets no secrets and no access to the database. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSecret = (name: string) => /^(DATABASE_URL|SLIPWAY_SECRETS|PG[A-Z]+)$/.test(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isSecret(name)));
}

/**
 * The port for the life of this process tree, so that a server that starts again has the same address. If an earlier
 * tree was killed, its server gets time to free the port.
 *
 * @throws ConfigurationError
 */
async function choosePort({ wasKilled }: Home): Promise<number> {
  const until = Date.now() + (wasKilled ? (baseConfig.drainSeconds + 5) * 1000 : 0);
  for (;;) {
    const probe = createServer();
    try {
      const { port } = await listen(probe, serverConfig);
      await new Promise((resolve) => probe.close(resolve));
      return port;
    } catch (error) {
      if (!(error instanceof PortInUseError) || Date.now() > until) throw error;
      await sleep(100);
    }
  }
}

function describePlace({ place: { path, barrier } }: EmbeddedPostgres): string {
  return barrier === null ? path : `${path}, because the user of PostgreSQL cannot enter ${barrier}`;
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
