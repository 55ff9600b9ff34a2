import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Another process, which still runs, has locked the folder. */
export class FolderInUseError extends Error {
  override name = 'FolderInUseError';
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.pid = pid;
  }
}

/**
 * Locks the folder for this process until the process ends. The lock need not be released.
 *
 * The file `lock.<n>` with the highest number says which process has the folder. To take the lock from a dead process,
 * a process creates the file with the next number; only one process can do so. If another process read an older file,
 * it notices: the next file already exists, or its own file is not the highest.
 *
 * @throws FolderInUseError if another process has the lock and still runs.
 */
export function lockFolder(folder: string): void {
  const file = (number: number) => join(folder, `lock.${number}`);
  const draft = join(folder, `lock-${randomBytes(4).toString('hex')}`);
  writeFileSync(draft, JSON.stringify(identifyProcess(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      const last = lockNumbers(folder).at(-1) ?? 0;
      const holder = readHolder(file(last));
      if (holder !== null && isRunning(holder)) {
        if (holder.pid === process.pid) return;
        throw new FolderInUseError(folder, holder.pid);
      }
      const mine = last + 1;
      try {
        linkSync(draft, file(mine));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      const numbers = lockNumbers(folder);
      if (numbers.at(-1) !== mine) {
        rmSync(file(mine), { force: true });
        continue;
      }
      for (const older of numbers.slice(0, -1)) rmSync(file(older), { force: true });
      return;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function lockNumbers(folder: string): number[] {
  const numbers = readdirSync(folder).map((entry) => Number(/^lock\.(\d+)$/.exec(entry)?.[1]));
  return numbers.filter((number) => number > 0).sort((a, b) => a - b);
}

function readHolder(path: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
