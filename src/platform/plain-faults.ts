import { inspect } from 'node:util';
import { ConfigurationError } from './config/environment.ts';

/**
 * Every process imports this file first. A wrong configuration is often found while the other files are loaded, when no
 * code can catch the error yet. Then only its message is printed.
 */
process.on('uncaughtException', (error) => {
  const text = error instanceof ConfigurationError ? error.message : inspect(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
