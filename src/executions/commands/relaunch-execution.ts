import type { Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { type Repetition, repeatExecution } from './repeat-execution.ts';

/**
 * Starts an execution that repeats another one, in whatever phase that one is. It has the same version of the launch
 * plan, the same engine, the inputs that the user gave there, and the settings that it had after they were resolved; so
 * new defaults of the project do not change what it repeats, and only fill in what it did not have. All checks of
 * `createExecution` run again.
 *
 * It is an execution by itself: its principal is the caller, and it is nobody's child and no run of a schedule, also if
 * the execution that it repeats was.
 *
 * @param source  the execution to repeat. The caller may read it, and has USE on it.
 * @param project  its project.
 * @throws the errors of `createExecution`. Source: Flyte's RelaunchExecution, which copies the parent, the nesting and
 * the time of the schedule.
 */
export async function relaunchExecution(
  caller: Caller,
  source: ExecutionRow,
  project: Project,
  relaunch: Omit<Repetition, 'mode' | 'parent'> & { readonly overwriteCache: boolean },
): Promise<ExecutionRow> {
  return await repeatExecution(caller, source, project, { ...relaunch, mode: 'RELAUNCH' });
}
