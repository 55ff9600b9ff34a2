import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../platform/config/environment.ts';
import { homeMode } from '../platform/database/embedded-host.ts';
import { FolderInUseError, lockFolder } from '../platform/folder-lock.ts';

/**
 * The folder of `npm start`:
 *
 *     <home>/lock.<n>         the process that uses it
 *     <home>/processes.json   for operators: process ids by name, and the server's address; gone when the tree is
 *     <home>/secrets          made when SLIPWAY_SECRETS is not set, for the embedded database only
 *     <home>/postgres         the embedded database
 */
export interface Home {
  /** An earlier tree was killed here: its processes may still be ending. */
  readonly wasKilled: boolean;
  /** Tells operators which processes there are, until this one exits. */
  noteProcesses(processes: object): void;
}

/** @throws ConfigurationError when another tree uses the folder, or nothing can be written there. */
export function openHome(folder: string): Home {
  try {
    // Whatever the umask says, PostgreSQL's user must get through a folder that we made.
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
 * The SLIPWAY_SECRETS of an embedded start that was given none: made once, kept in `<home>/secrets`, readable by its
 * user only. Like the variable, the file may hold several, separated by commas.
 *
 * @throws ConfigurationError when the file is gone and the data that only it opens is there.
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
