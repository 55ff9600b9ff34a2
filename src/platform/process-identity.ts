import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Tells a process apart from a later one that the system gave the same number. Linux answers from /proc, others by `ps`. */

const IS_LINUX = process.platform === 'linux';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque. Equal only for the same process and, on Linux, during the same boot. */
  readonly startedAt: string;
}

/** Null when there is no such process. A zombie still has an identity. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startedAt = IS_LINUX ? startOnLinux(pid) : startByPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity | null): boolean {
  return b !== null && a.pid === b.pid && a.startedAt === b.startedAt;
}

/** Whether a process still runs; a zombie does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (!isSameProcess(identity, identifyProcess(identity.pid))) return false;
  return !IS_LINUX || !isZombie(readStat(identity.pid));
}

export interface ProcessStat {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  readonly state: string;
  readonly threads: number;
  /** Clock ticks since boot. */
  readonly startTicks: string;
}

/** What Linux says of a process; null when there is none. */
export function readStat(pid: number): ProcessStat | null {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  // Field 2, the command's name, stands in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , group, session] = fields;
  return {
    pid,
    state,
    group: Number(group),
    session: Number(session),
    threads: Number(fields[17]),
    startTicks: fields[19] ?? '',
  };
}

/** A process whose first thread has ended looks like a zombie while its other threads run on. */
export function isZombie(stat: ProcessStat | null): boolean {
  return stat === null || ('ZXx'.includes(stat.state) && stat.threads <= 1);
}

/** Null when the process is gone, or belongs to somebody else. */
export function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return null;
  }
}

function startOnLinux(pid: number): string | null {
  const stat = readStat(pid);
  // Ticks count from the boot, so that after another boot they prove nothing.
  return stat && `${readProc('sys/kernel/random/boot_id')?.trim()} ${stat.startTicks}`;
}

function startByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}
