import '../platform/plain-faults.ts';
import { closeDatabase, databaseUrl } from '../platform/database/client.ts';
import { notifications } from '../platform/database/notify.ts';
import { waitForDatabase } from '../platform/database/wait.ts';
import { runProcess } from '../platform/process.ts';
import { startScheduler } from '../scheduler/start.ts';

/** Starts ready nodes, assigns jobs and ends expired leases. There can be any number of schedulers. */
await runProcess('scheduler', async (ending) => {
  ending.add(closeDatabase);
  ending.add(() => notifications.close());
  await waitForDatabase(databaseUrl);
  await notifications.start();
  const scheduler = startScheduler();
  ending.add(() => scheduler.stop());
  return {};
});
