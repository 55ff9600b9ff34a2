import { closeDatabase } from '../platform/database/client.ts';
import { notifications } from '../platform/database/notify.ts';
import { runProcess } from '../platform/process.ts';
import { startScheduler } from '../scheduler/start.ts';

/** Starts ready nodes, assigns jobs, expires leases. Any number. */
await runProcess('scheduler', async () => {
  await notifications.start();
  const scheduler = startScheduler();
  return {
    async stop() {
      await scheduler.stop();
      await notifications.close();
      await closeDatabase();
    },
  };
});
