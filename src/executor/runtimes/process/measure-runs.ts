import { isZombie, readProc } from '../../../platform/process-identity.ts';
import { RUN_ID_VARIABLE } from '../../host/environment.ts';
import type { RunSample } from '../../host/runtime.ts';
import { listProcesses } from './process-group.ts';

const PREFIX = `${RUN_ID_VARIABLE}=`;
/** Clock ticks of /proc in a second: the same on all machines that Node runs on. */
const TICKS_PER_SECOND = 100;
/** /proc counts memory in pages. */
const PAGE_BYTES = 4096;

/**
 * What the processes of runs use, by the id of the run. Linux only: other systems give an empty map. A process belongs to
 * a run if it has the run's id in its environment, or if it is in the group or session of such a process.
 */
export function measureRuns(runIds: readonly string[]): Map<string, RunSample> {
  const samples = new Map<string, RunSample>();
  if (process.platform !== 'linux' || runIds.length === 0) return samples;
  const wanted = new Set(runIds);
  const all = listProcesses().filter((one) => !isZombie(one));
  const marked = new Map(all.map(({ pid }) => [pid, runIdOf(pid)] as const));
  for (const { pid, group, session } of all) {
    const runId = marked.get(pid) ?? marked.get(group) ?? marked.get(session) ?? null;
    if (runId === null || !wanted.has(runId)) continue;
    const used = readUsage(pid);
    if (used === null) continue;
    const before = samples.get(runId) ?? { cpuTimeMillis: 0, memoryBytes: 0 };
    samples.set(runId, {
      cpuTimeMillis: before.cpuTimeMillis + used.cpuTimeMillis,
      memoryBytes: before.memoryBytes + used.memoryBytes,
    });
  }
  return samples;
}

function runIdOf(pid: number): string | null {
  const entry = readProc(`${pid}/environ`)
    ?.split('\0')
    .find((one) => one.startsWith(PREFIX));
  return entry?.slice(PREFIX.length) ?? null;
}

/** Null if the process has ended. The time of children that it has waited for is included. */
function readUsage(pid: number): RunSample | null {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  // Field 2 is the name of the command in parentheses, so these are the fields from the third one on.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  const ticks = (utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0);
  return {
    cpuTimeMillis: (ticks * 1000) / TICKS_PER_SECOND,
    memoryBytes: Number(fields[21] ?? 0) * PAGE_BYTES,
  };
}
