import type { LaunchPlan, Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isRecord } from '../../values/json.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { getSpec, settingsOf } from '../store/execution-specs.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { createExecution } from './create-execution.ts';
import { notificationsOf } from './notifications-of.ts';

export interface Relaunch {
  readonly name: string | null;
  readonly overwriteCache: boolean;
  /** Inputs that replace those of the execution: plain values by name. */
  readonly inputs: unknown;
  /** The same as Flyte's literals. */
  readonly inputLiterals: unknown;
  findLaunchPlan(): Promise<LaunchPlan | null>;
}

const path = ['input', 'by'];

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
  { name, overwriteCache, inputs, inputLiterals, findLaunchPlan }: Relaunch,
): Promise<ExecutionRow> {
  const { userInputs, ...resolved } = await getSpec(source.id);
  return await createExecution(caller, project, {
    domain: source.domain,
    name,
    launchPlan: { by: { id: source.launchPlanId }, find: findLaunchPlan },
    inputs,
    inputLiterals: withChanges(userInputs, inputs, inputLiterals),
    settings: { ...settingsOf(resolved), overwriteCache },
    engine: source.engine,
    taskId: source.taskId,
    ...(await notificationsOf(source)),
    origin: { mode: 'RELAUNCH', referenceId: source.id, sourceId: source.id, path },
  });
}

/** The inputs of the execution without those that are given anew, and the new literals. */
function withChanges(userInputs: LiteralMap, inputs: unknown, inputLiterals: unknown): unknown {
  if (inputLiterals !== null && inputLiterals !== undefined && !isRecord(inputLiterals)) return inputLiterals;
  const given = isRecord(inputs) ? inputs : {};
  const kept = Object.entries(userInputs).filter(([name]) => !Object.hasOwn(given, name));
  return Object.fromEntries([...kept, ...Object.entries(inputLiterals ?? {})]);
}
