/**
 * A process that owns an embedded PostgreSQL, to be killed by `embedded.test.ts`: prints the process id of the server
 * once it is ready, then waits; with `--exit` it exits without stopping it.
 */
import { startEmbeddedPostgres } from '../../src/platform/database/embedded.ts';

const [, , folder = '', then] = process.argv;
const server = await startEmbeddedPostgres({ folder, isDurable: false });
process.stdout.write(`${server.pid}\n`);
if (then === '--exit') process.exit(0);
setInterval(() => undefined, 60_000);
