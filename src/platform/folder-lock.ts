import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Another living process has locked the folder. */
export class FolderInUseError extends Error {
  override name = 'FolderInUseError';
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.pid = pid;
  }
}

/**
 * Makes this process the only one that uses the folder, until it ends, however it ends: nothing has to be given back.
 *
 * The file `lock.<n>` with the highest number tells who has the folder. To take over from a dead process is to make the
 * next number, which only one process can. A process that judged an old file finds out: its next number exists, or is
 * not the highest.
 *
 * @throws FolderInUseError while another process that has it lives.
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
