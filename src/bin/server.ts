import { startMetricsServer } from '../http/metrics.ts';
import { startServer } from '../http/server.ts';
import { firstStart } from '../identity/commands/first-start.ts';
import { keepFixedUsers } from '../identity/commands/keep-fixed-users.ts';
import { fixedUsers } from '../identity/fixed-users.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { serverConfig } from '../platform/config/server.ts';
import { closeDatabase } from '../platform/database/client.ts';
import { applyMigrations, MigrationError } from '../platform/database/migrations.ts';
import { notifications } from '../platform/database/notify.ts';
import { whenDatabaseAnswers } from '../platform/database/wait.ts';
import { log } from '../platform/log.ts';
import { runProcess } from '../platform/process.ts';
import { requiredSecrets } from '../platform/secrets.ts';
import { handOver } from './first-secrets.ts';

/** GraphQL, GraphiQL, subscriptions, files and health. Any number behind a balancer. */
await runProcess('server', async (ending) => {
  requiredSecrets();
  // A wrong file is told before anything is changed.
  fixedUsers();
  ending.add(closeDatabase);
  await whenDatabaseAnswers(migrate);
  await whenDatabaseAnswers(() => firstStart(serverConfig.adminUsername, handOver));
  await whenDatabaseAnswers(() => keepFixedUsers());
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
  if (!controlPlaneConfig.databaseUrl) throw new ConfigurationError('DATABASE_URL is required');
  if (!serverConfig.migrate) return;
  try {
    const applied = await applyMigrations(controlPlaneConfig.databaseUrl);
    if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');
  } catch (error) {
    // Migrations stay compatible with the release before: while replicas are replaced, an older one may restart.
    if (!(error instanceof MigrationError) || error.reason !== 'newer') throw error;
    log.warn({ migrations: error.migrations }, 'the database is of a newer release');
  }
}
