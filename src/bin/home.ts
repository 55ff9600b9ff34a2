import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../platform/config/environment.ts';
import { homeMode } from '../platform/database/embedded-host.ts';
import { FolderInUseError, lockFolder } from '../platform/folder-lock.ts';

/**
 * The folder of `npm start`:
 *
 *    <home>/lock.<n>          the process that uses the folder
 *    <home>/processes.json    for operators: the process ids by name and the address of the server; deleted at the end
 *    <home>/secrets           created if SLIPWAY_SECRETS is not set; only for the embedded database
 *    <home>/postgres          the embedded database
 */
export interface Home {
  /** An earlier process tree was killed here, and its processes may still be ending. */
  readonly wasKilled: boolean;
  /** Tells operators which processes run, until this process exits. */
  noteProcesses(processes: object): void;
}

/** @throws ConfigurationError if another process uses the folder, or if it cannot be written to. */
export function openHome(folder: string): Home {
  try {
    // PostgreSQL's user must be able to pass through a folder that we created, whatever the umask is.
    if (mkdirSync(folder, { recursive: true, mode: homeMode() }) !== undefined) chmodSync(folder, homeMode());
    lockFolder(folder);
  } catch (error) {
    if (error instanceof FolderInUseError)
      throw new ConfigurationError(
        `SLIPWAY_HOME: ${error.message}. Stop that process, or set SLIPWAY_HOME to another folder.`,
      );
    throw error;
  }
  const file = join(folder, 'processes.json');
  const wasKilled = existsSync(file);
  let isNoted = false;
  return {
    wasKilled,
    noteProcesses(processes) {
      writeFileSync(`${file}.new`, `${JSON.stringify(processes, null, 2)}\n`, { mode: 0o600 });
      renameSync(`${file}.new`, file);
      if (!isNoted) process.once('exit', () => rmSync(file, { force: true }));
      isNoted = true;
    },
  };
}

/**
 * The secrets of an embedded database if SLIPWAY_SECRETS is not set. They are created once and stored in
 * `<home>/secrets`, which only its user can read. Like the variable, the file may have several secrets, separated by
 * commas.
 *
 * @throws ConfigurationError if the file is missing but the data that needs it exists.
 */
export function readOrMakeSecrets(home: string): string {
  const file = join(home, 'secrets');
  if (!existsSync(file)) {
    const data = join(home, 'postgres/data');
    if (existsSync(data))
      throw new ConfigurationError(
        `${file} is missing. Without it, the keys in ${data} cannot be read. Restore the file, or set SLIPWAY_SECRETS to its content. To start with an empty database, move both away.`,
      );
    const draft = `${file}.new`;
    writeFileSync(draft, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flush: true });
    renameSync(draft, file);
  }
  return readFileSync(file, 'utf8').trim();
}
