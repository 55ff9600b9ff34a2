import { baseConfig } from './config/base.ts';
import { ConfigurationError } from './config/environment.ts';

const REFUSALS = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'];

/**
 * Runs `work`, which uses files under SLIPWAY_HOME.
 *
 * @throws ConfigurationError if the file system refuses it.
 */
export async function inHome<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = '', path = baseConfig.home } = error as NodeJS.ErrnoException;
    if (!REFUSALS.includes(code)) throw error;
    throw new ConfigurationError(
      `SLIPWAY_HOME: ${path} cannot be written to (${code}). Set SLIPWAY_HOME to a folder that this user can write to.`,
    );
  }
}
