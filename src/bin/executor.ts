import { chooseRuntime } from '../executor/choose-runtime.ts';
import { createClient } from '../executor/client.ts';
import { startWorkLoop } from '../executor/work-loop.ts';
import { config } from '../platform/config.ts';
import { log } from '../platform/log.ts';
import { runProcess } from '../platform/process.ts';

/** Leases jobs over the server's public API and runs them. Any number, anywhere, each under a name of its own. */
await runProcess('executor', async () => {
  const { url, credentialFile, name, pool, slots } = config.executor;
  const runtime = chooseRuntime();
  const client = createClient({ url, credentialFile, log });
  return await startWorkLoop({ client, runtime, log, name, pool, slots, drainSeconds: config.drainSeconds });
});
