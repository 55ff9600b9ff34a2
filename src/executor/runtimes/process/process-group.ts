/**
 * The processes of a run, including all their descendants.
 *
 * A command leads its own process group and session. The shell that waits for it is in another group, and is not ended
 * with it. On Linux, /proc shows all processes of a run: its group, its session (a shell with job control gives each
 * background job a group), and all processes with the run's id in their environment (they may have called setsid). On
 * other systems only the group is known. A zombie counts as ended: in many containers nobody reaps orphans, so a zombie
 * stays in its group forever, but does no harm.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isZombie, type ProcessStat, readProc, readStat } from '../../../platform/process-identity.ts';
import { RUN_ID_VARIABLE } from '../../host/environment.ts';

const IS_LINUX = process.platform === 'linux';
const LONGEST_POLL_MILLISECONDS = 50;

/** A process of a run. Its whole group belongs to the run, because only processes of a run can join its sessions. */
export interface RunProcess {
  readonly pid: number;
  readonly group: number;
}

/**
 * The living processes of a run.
 *
 * @param leader  the process id that is the id of its group and session; null if this is not known for sure.
 */
export function listRunProcesses(runId: string, leader: number | null): RunProcess[] {
  if (!IS_LINUX) return leader !== null && groupExists(leader) ? [{ pid: leader, group: leader }] : [];
  const mark = `${RUN_ID_VARIABLE}=${runId}`;
  return listProcesses().filter(
    ({ pid, group, session }) => group === leader || session === leader || hasVariable(pid, mark),
  );
}

/**
 * The group of a run that another executor started: the id of its leader, if it certainly still belongs to this run. If
 * the leader has ended, another group may now have the same id. So a process of the group must have the mark of the run.
 */
export function findLeader(runId: string, pid: number): number | null {
  if (!IS_LINUX) return null;
  const mark = `${RUN_ID_VARIABLE}=${runId}`;
  const isVouchedFor = listProcesses().some(
    (one) => (one.group === pid || one.session === pid) && hasVariable(one.pid, mark),
  );
  return isVouchedFor ? pid : null;
}

/** Whether this process has the path among its arguments. */
export function runsIn(pid: number, path: string): boolean {
  if (IS_LINUX) return readProc(`${pid}/cmdline`)?.split('\0').includes(path) === true;
  const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout?.includes(path) === true;
}

/** Kills the shell that waits for a command, with everything that it has started in its own group. */
export function killGroup(leader: number): void {
  sendSignal([{ pid: leader, group: leader }], 'SIGKILL');
}

/**
 * Ends processes: first with SIGTERM, and after the grace period with SIGKILL.
 *
 * @param list  the processes that still live. It is called repeatedly, because they may fork in the meantime.
 * @returns the processes that still live `killWaitSeconds` after the first SIGKILL (stuck in the kernel); usually none.
 */
export async function endProcesses(
  list: () => RunProcess[],
  limits: { graceSeconds: number; killWaitSeconds: number },
): Promise<RunProcess[]> {
  let left = list();
  if (left.length === 0) return left;
  sendSignal(left, 'SIGTERM');
  left = await waitUntilGone(list, limits.graceSeconds, () => {});
  if (left.length === 0) return left;
  sendSignal(left, 'SIGKILL');
  return waitUntilGone(list, limits.killWaitSeconds, (survivors) => sendSignal(survivors, 'SIGKILL'));
}

async function waitUntilGone(
  list: () => RunProcess[],
  seconds: number,
  onSurvivors: (processes: RunProcess[]) => void,
): Promise<RunProcess[]> {
  const giveUpAt = performance.now() + seconds * 1000;
  const looks = pauses();
  for (;;) {
    const left = list();
    const remaining = giveUpAt - performance.now();
    if (left.length === 0 || remaining <= 0) return left;
    onSurvivors(left);
    await sleep(Math.min(looks.next().value, remaining));
  }
}

/** The milliseconds between two looks at processes: few at first, because most of them end at once. */
export function* pauses(): Generator<number, never> {
  for (let pause = 2; ; pause = Math.min(pause * 2, LONGEST_POLL_MILLISECONDS)) yield pause;
}

function sendSignal(processes: readonly RunProcess[], signal: NodeJS.Signals): void {
  const ownGroup = IS_LINUX ? (readStat(process.pid)?.group ?? 0) : 0;
  for (const target of new Set(processes.map((member) => signalTarget(member, ownGroup)))) {
    try {
      process.kill(target, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/**
 * The target of kill(2) for a process of a run: its whole group, so that a process that forks in the meantime is
 * included. It is never 0, -1 or our own group, which would reach every process of this user. Linux shows group 0 for a
 * process that comes from outside of our pid namespace.
 */
export function signalTarget({ pid, group }: RunProcess, ownGroup: number): number {
  return group > 1 && group !== ownGroup ? -group : pid;
}

function groupExists(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/**
 * ESRCH: no such process. EPERM: on macOS, a group of zombies; elsewhere, a process that has changed its user, which we
 * cannot reach.
 */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM');
}

/** All processes of the machine that can be seen, except for this one and zombies. Linux only. */
export function listProcesses(): ProcessStat[] {
  const stats: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat !== null && stat.pid !== process.pid && !isZombie(stat)) stats.push(stat);
  }
  return stats;
}

function hasVariable(pid: number, assignment: string): boolean {
  const environment = readProc(`${pid}/environ`);
  return environment?.split('\0').includes(assignment) === true;
}
