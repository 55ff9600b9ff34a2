import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Tells a process apart from a later process with the same number. On Linux it reads /proc, on other systems it runs
 * `ps`.
 */

const IS_LINUX = process.platform === 'linux';

export interface ProcessIdentity {
  readonly pid: number;
  /** An opaque text. It is equal only for the same process and, on Linux, during the same boot. */
  readonly startedAt: string;
}

/** Null if there is no such process. A zombie still has an identity. */
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

/** The state of a process on Linux; null if there is none. */
export function readStat(pid: number): ProcessStat | null {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  // Field 2 is the name of the command in parentheses. The name may contain spaces and parentheses too.
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

/** A process whose first thread has ended looks like a zombie, although its other threads still run. */
export function isZombie(stat: ProcessStat | null): boolean {
  return stat === null || ('ZXx'.includes(stat.state) && stat.threads <= 1);
}

/** Null if the process has ended or belongs to another user. */
export function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return null;
  }
}

function startOnLinux(pid: number): string | null {
  const stat = readStat(pid);
  // Ticks count from the last boot. With another boot they say nothing, so the id of the boot is part of the identity.
  return stat && `${readProc('sys/kernel/random/boot_id')?.trim()} ${stat.startTicks}`;
}

function startByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}
