import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * CPU time from /proc, in milliseconds. It says what a request costs also while other processes take the cores, when
 * requests a second say little. Where there is no /proc, all times are 0.
 */

/** The clock of /proc on every Linux that Node runs on: 100 ticks a second. */
const TICK_MS = 10;

interface Times {
  readonly parent: number;
  /** Of the process itself. */
  readonly own: number;
  /** Of its children that have ended. */
  readonly ended: number;
}

function timesOf(pid: number | string): Times | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may contain spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const at = (field: number) => Number(fields[field - 3]);
    return { parent: at(4), own: (at(14) + at(15)) * TICK_MS, ended: (at(16) + at(17)) * TICK_MS };
  } catch {
    return null;
  }
}

/** The CPU time of a process, with that of its threads. */
export const cpuOf = (pid: number): number => timesOf(pid)?.own ?? 0;

/** The CPU time of a process and of its children, also of those that have ended. */
export function cpuOfFamily(pid: number): number {
  const first = timesOf(pid);
  if (!first) return 0;
  let sum = first.own + first.ended;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const times = timesOf(name);
    if (times?.parent === pid) sum += times.own;
  }
  return sum;
}

/** How much memory a process has, in megabytes. */
export const memoryOf = (pid: number): number => megabytesOf(pid, 'VmRSS');

/** The most memory that a process had since the last `forgetPeak`, in megabytes. */
export const peakMemoryOf = (pid: number): number => megabytesOf(pid, 'VmHWM');

/** Where the kernel does not allow it, the peak is that of the whole life of the process. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {}
}

function megabytesOf(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(status) ?? [];
    return Math.round(Number(kilobytes) / 1024);
  } catch {
    return 0;
  }
}

/** The CPU time that all processes of the machine have taken. */
export function cpuOfMachine(): number {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const [user = 0, nice = 0, system = 0, _idle, _waiting, interrupts = 0, softInterrupts = 0, stolen = 0] =
      first.split(/\s+/).slice(1).map(Number);
    return (user + nice + system + interrupts + softInterrupts + stolen) * TICK_MS;
  } catch {
    return 0;
  }
}
