import '../platform/plain-faults.ts';
import { closeDatabase, databaseUrl } from '../platform/database/client.ts';
import { notifications } from '../platform/database/notify.ts';
import { waitForDatabase } from '../platform/database/wait.ts';
import { runProcess } from '../platform/process.ts';
import { requiredSecrets } from '../platform/secrets.ts';
import { startScheduler } from '../scheduler/start.ts';

/**
 * Starts ready nodes and the executions of schedules, assigns jobs, ends expired leases and sends notifications. There
 * can be any number of schedulers.
 */
await runProcess('scheduler', async (ending) => {
  // Webhooks are signed with keys that are derived from the secrets.
  requiredSecrets();
  ending.add(closeDatabase);
  ending.add(() => notifications.close());
  await waitForDatabase(databaseUrl);
  await notifications.start();
  const scheduler = startScheduler();
  ending.add(() => scheduler.stop());
  return {};
});
