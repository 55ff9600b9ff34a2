import { startMetricsServer } from '../http/metrics.ts';
import { startServer } from '../http/server.ts';
import { firstStart } from '../identity/commands/first-start.ts';
import { keepFixedUsers } from '../identity/commands/keep-fixed-users.ts';
import { fixedUsers } from '../identity/fixed-users.ts';
import { ConfigurationError, config } from '../platform/config.ts';
import { closeDatabase } from '../platform/database/client.ts';
import { applyMigrations, MigrationError } from '../platform/database/migrations.ts';
import { notifications } from '../platform/database/notify.ts';
import { whenDatabaseAnswers } from '../platform/database/wait.ts';
import { log } from '../platform/log.ts';
import { runProcess } from '../platform/process.ts';
import { requiredSecrets } from '../platform/secrets.ts';
import { handOver } from './first-secrets.ts';

/** GraphQL, GraphiQL, subscriptions, files and health. Any number behind a balancer. */
await runProcess('server', async () => {
  requiredSecrets();
  // A wrong file is told before anything is changed.
  fixedUsers();
  await whenDatabaseAnswers(migrate);
  await whenDatabaseAnswers(() => firstStart(config.adminUsername, handOver));
  await whenDatabaseAnswers(() => keepFixedUsers());
  await notifications.start();
  const server = await startServer({ host: config.host, port: config.port });
  const metrics =
    config.metricsPort === null
      ? null
      : await startMetricsServer({ host: config.metricsHost, port: config.metricsPort });
  return {
    address: server.url,
    async stop() {
      await server.stop();
      await metrics?.stop();
      await notifications.close();
      await closeDatabase();
    },
  };
});

async function migrate(): Promise<void> {
  if (!config.databaseUrl) throw new ConfigurationError('DATABASE_URL is required');
  if (!config.migrate) return;
  try {
    const applied = await applyMigrations(config.databaseUrl);
    if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');
  } catch (error) {
    // Migrations stay compatible with the release before: while replicas are replaced, an older one may restart.
    if (!(error instanceof MigrationError) || error.reason !== 'newer') throw error;
    log.warn({ migrations: error.migrations }, 'the database is of a newer release');
  }
}
