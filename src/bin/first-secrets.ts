import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FirstSecrets } from '../identity/commands/first-start.ts';
import { baseConfig } from '../platform/config/base.ts';

/**
 * Prints the administrator's password once, and writes the executor's access key to a file that only its user can read.
 */
export async function handOver({ administrator, executor }: FirstSecrets): Promise<void> {
  const file = baseConfig.credentialFile;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(executor)}\n`, {
    mode: 0o600,
  });
  renameSync(`${file}.new`, file);
  process.stderr.write(
    `\n  First start. Sign in as ${administrator.username} with this password, which is shown only once:\n\n    ${administrator.password}\n\n`,
  );
}
