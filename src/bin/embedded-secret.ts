import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../platform/config/environment.ts';

/**
 * The SLIPWAY_SECRETS of an embedded start that was given none: made once, kept in `<home>/secrets`, readable by its
 * user only. Like the variable, the file may hold several, parted by commas.
 *
 * @throws ConfigurationError when the file is gone and the data that only it opens is there.
 */
export function readOrMakeSecrets(home: string): string {
  const file = join(home, 'secrets');
  if (!existsSync(file)) make(file, join(home, 'postgres/data'));
  return readFileSync(file, 'utf8').trim();
}

function make(file: string, data: string): void {
  if (existsSync(data))
    throw new ConfigurationError(
      `${file} is missing, and keys in ${data} can be read only with it. Restore it, or set SLIPWAY_SECRETS to what it held; to start empty, move both away.`,
    );
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flush: true });
  try {
    // Never over another's: of two that start at once, the first one's secret is everybody's.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
