import type { LaunchPlan, Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { isRecord } from '../../values/json.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { isAbsent } from '../../values/readers.ts';
import { readSpecs, settingsOf } from '../store/execution-specs.ts';
import { readNotifications } from '../store/notices.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { createExecution } from './create-execution.ts';
import type { ParentNode } from './get-parent-node.ts';

/** What the new execution has of its own. */
export interface Repetition {
  readonly mode: 'RELAUNCH' | 'RECOVERED';
  readonly name: string | null;
  /** Left out: as the execution that it repeats. */
  readonly overwriteCache?: boolean;
  /** Inputs that replace those of the execution: plain values by name. */
  readonly inputs?: unknown;
  /** The same as Flyte's literals. */
  readonly inputLiterals?: unknown;
  /** The node of an engine from outside that starts the new execution. Without it, the new execution is nobody's child. */
  readonly parent?: ParentNode | null;
  findLaunchPlan(): Promise<LaunchPlan | null>;
}

const path = ['input', 'by'];

/**
 * Creates an execution that repeats another one: the same version of the launch plan, engine and task, the inputs that
 * the user gave there, the settings that it had after they were resolved, and its notifications. All checks of
 * `createExecution` run again.
 *
 * @throws the errors of `createExecution`.
 */
export async function repeatExecution(
  caller: Caller,
  source: ExecutionRow,
  project: Project,
  { mode, name, overwriteCache, inputs, inputLiterals, parent = null, findLaunchPlan }: Repetition,
): Promise<ExecutionRow> {
  const [spec] = await readSpecs([source.id]);
  // It was deleted after it had been read.
  if (!spec) throw new NotFoundError('execution', source.id, path);
  const { userInputs, ...resolved } = spec;
  const [notifications = []] = await readNotifications([source.id]);
  return await createExecution(caller, project, {
    domain: source.domain,
    name,
    launchPlan: { by: { id: source.launchPlanId }, find: findLaunchPlan },
    inputs,
    inputLiterals: withChanges(userInputs, inputs, inputLiterals),
    settings: { ...settingsOf(resolved), ...(overwriteCache !== undefined && { overwriteCache }) },
    engine: source.engine,
    taskId: source.taskId,
    parent,
    notifications,
    disableNotifications: notifications.length === 0,
    origin: { mode, referenceId: source.id, sourceId: source.id, path },
  });
}

/** The inputs of the execution without those that are given anew, and the new literals. */
function withChanges(userInputs: LiteralMap, inputs: unknown, inputLiterals: unknown): unknown {
  if (!isAbsent(inputLiterals) && !isRecord(inputLiterals)) return inputLiterals;
  const given = isRecord(inputs) ? inputs : {};
  const kept = Object.entries(userInputs).filter(([name]) => !Object.hasOwn(given, name));
  return Object.fromEntries([...kept, ...Object.entries(inputLiterals ?? {})]);
}
