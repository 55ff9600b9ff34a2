/**
 * The processes of a run, from the first to the last stray grandchild.
 *
 * A command leads a process group and a session of its own. On Linux /proc tells all that belongs to it: its group, its
 * session (a shell with job control gives each background job a group) and whatever carries the run's id in its
 * environment (what called setsid). Elsewhere only the group is known. A zombie counts as gone: where nobody reaps
 * orphans, as in many containers, it stays in its group for ever and does no harm.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  identifyProcess,
  isSameProcess,
  isZombie,
  type ProcessIdentity,
  type ProcessStat,
  readProc,
  readStat,
} from '../../../platform/process-identity.ts';
import { RUN_ID_VARIABLE } from '../../host/environment.ts';

const IS_LINUX = process.platform === 'linux';
const LONGEST_POLL_MILLISECONDS = 50;

/** A process of a run. Its whole group is the run's too: only a run's own processes can join its sessions. */
export interface RunProcess {
  readonly pid: number;
  readonly group: number;
}

/**
 * The living processes of a run.
 *
 * @param leader  the process id that its group and session are named after; null when that is not known for sure.
 */
export function listRunProcesses(runId: string, leader: number | null): RunProcess[] {
  if (!IS_LINUX) return leader !== null && groupExists(leader) ? [{ pid: leader, group: leader }] : [];
  const mark = `${RUN_ID_VARIABLE}=${runId}`;
  return listProcesses().filter(
    ({ pid, group, session }) => group === leader || session === leader || hasVariable(pid, mark),
  );
}

/**
 * Finds the group of a run that another executor started: its leader's id if that is still, beyond doubt, this run's.
 * With the leader gone its number may since have named another group, so then a marked member must vouch for it.
 */
export function findLeader(runId: string, recorded: ProcessIdentity | null): number | null {
  if (recorded === null) return null;
  if (isSameProcess(recorded, identifyProcess(recorded.pid))) return recorded.pid;
  if (!IS_LINUX) return null;
  const mark = `${RUN_ID_VARIABLE}=${runId}`;
  const isVouchedFor = listProcesses().some(
    ({ pid, group, session }) =>
      (group === recorded.pid || session === recorded.pid) && hasVariable(pid, mark),
  );
  return isVouchedFor ? recorded.pid : null;
}

/**
 * Ends processes: SIGTERM, and SIGKILL to what is left when the grace is over.
 *
 * @param list  the processes still there, asked again and again: they may fork meanwhile.
 * @returns those that are there `killWaitSeconds` after the first SIGKILL (stuck in the kernel); normally none.
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
  for (let pause = 2; ; pause = Math.min(pause * 2, LONGEST_POLL_MILLISECONDS)) {
    const left = list();
    const remaining = giveUpAt - performance.now();
    if (left.length === 0 || remaining <= 0) return left;
    onSurvivors(left);
    await sleep(Math.min(pause, remaining));
  }
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
 * What to hand to kill(2) for a process of a run: its whole group, so that one which forks meanwhile does not escape.
 * Never 0, -1 or our own group, which would reach every process of this user: Linux says group 0 of a process that
 * came from outside of our pid namespace.
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

/** ESRCH: no such process. EPERM: on macOS a group of zombies; elsewhere one that changed its user, out of our reach. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM');
}

function listProcesses(): ProcessStat[] {
  const stats: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat !== null && stat.pid !== process.pid && !isZombie(stat)) stats.push(stat);
  }
  return stats;
}

function hasVariable(pid: number, assignment: string): boolean {
  const environment = readProc(`${pid}/environ`);
  return environment?.split('\0').includes(assignment) ?? false;
}
