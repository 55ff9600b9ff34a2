import '../platform/plain-faults.ts';
import { startMetricsServer } from '../http/metrics.ts';
import { startServer } from '../http/server.ts';
import { firstStart } from '../identity/commands/first-start.ts';
import { keepFixedUsers } from '../identity/commands/keep-fixed-users.ts';
import { fixedUsers } from '../identity/fixed-users.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { serverConfig } from '../platform/config/server.ts';
import { closeDatabase, databaseUrl } from '../platform/database/client.ts';
import { applyMigrations, MigrationError } from '../platform/database/migrations.ts';
import { notifications } from '../platform/database/notify.ts';
import { waitForDatabase } from '../platform/database/wait.ts';
import { inHome } from '../platform/in-home.ts';
import { log } from '../platform/log.ts';
import { runProcess } from '../platform/process.ts';
import { requiredSecrets } from '../platform/secrets.ts';
import { handOver } from './first-secrets.ts';

/**
 * Serves GraphQL, GraphiQL, subscriptions, files and health. There can be any number of servers behind a load balancer.
 */
await runProcess('server', async (ending) => {
  requiredSecrets();
  // If the file is wrong, the process must stop before it changes anything.
  fixedUsers();
  ending.add(closeDatabase);
  await waitForDatabase(databaseUrl);
  if (serverConfig.migrate) await migrate();
  await inHome(() => firstStart(serverConfig.adminUsername, handOver));
  await keepFixedUsers();
  ending.add(() => notifications.close());
  await notifications.start();
  if (serverConfig.metricsPort !== null) {
    const metrics = await startMetricsServer({
      host: serverConfig.metricsHost,
      port: serverConfig.metricsPort,
    });
    ending.add(() => metrics?.stop());
  }
  const server = await startServer({ host: serverConfig.host, port: serverConfig.port });
  ending.add(() => server.stop());
  return { address: server.url };
});

async function migrate(): Promise<void> {
  try {
    const applied = await applyMigrations(databaseUrl);
    if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    // The previous release works with the migrations of this one: while servers are replaced, an older one may restart.
    if (error.reason === 'newer')
      log.warn({ migrations: error.migrations }, 'the database has migrations of a newer release');
    else throw new ConfigurationError(`The database cannot be migrated: ${error.message}.`);
  }
}
