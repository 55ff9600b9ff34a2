/**
 * A process with an embedded PostgreSQL that `embedded.test.ts` kills. It prints the process id of the server when it
 * is ready, and then waits; with `--exit` it exits without stopping the server.
 */
import { startEmbeddedPostgres } from '../../src/platform/database/embedded.ts';

const [, , folder = '', then] = process.argv;
const server = await startEmbeddedPostgres({ folder, isDurable: false });
process.stdout.write(`${server.pid}\n`);
if (then === '--exit') process.exit(0);
setInterval(() => undefined, 60_000);
