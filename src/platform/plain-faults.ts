import { inspect } from 'node:util';
import { ConfigurationError } from './config/environment.ts';

/**
 * Every process imports this file first. A fault of the configuration is often found while the other files are loaded,
 * before anything could catch it: then its message is all that is printed.
 */
process.on('uncaughtException', (error) => {
  const text = error instanceof ConfigurationError ? error.message : inspect(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
