import { refusal } from '../../authorization/can.ts';
import { getAllowed } from '../../authorization/get-allowed.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import type { ExecutionEngine, ExecutionMode, LaunchPlan, Project } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { type DomainError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { type EffectiveInputs, effectiveInputs } from '../../registry/domain/effective-inputs.ts';
import type { LaunchPlanInputs } from '../../registry/domain/launch-plan.ts';
import type { Notification } from '../../registry/domain/notifications.ts';
import { launchPlanTarget } from '../../registry/domain/targets.ts';
import { findLaunchPlan, type VersionBy } from '../../registry/store.ts';
import { Place } from '../../values/problem-list.ts';
import { checkSettings } from '../domain/check-settings.ts';
import { defaultQueueName } from '../domain/default-queue.ts';
import { clusterFor } from '../domain/execution-clusters.ts';
import { executionNameProblem, generatedExecutionName } from '../domain/execution-name.ts';
import type { ExecutionSettings, ResolvedSettings } from '../domain/execution-spec.ts';
import { frozenNotifications, type NotificationRequest } from '../domain/frozen-notifications.ts';
import { executionTarget } from '../domain/targets.ts';
import type { NewExecution } from '../store/create.ts';
import { type ExecutionRow, readExecutions } from '../store/reads.ts';
import { firstFew, missingFiles } from './check-files.ts';
import type { ParentNode } from './get-parent-node.ts';
import { insertWithinLimit } from './insert-within-limit.ts';
import { resolveExecutionSettings } from './resolve-execution-settings.ts';

export interface ExecutionRequest extends NotificationRequest {
  readonly domain: string;
  readonly name: string | null;
  readonly launchPlan: {
    readonly by: VersionBy;
    find(): Promise<LaunchPlan | null>;
  };
  /** Plain values by name. */
  readonly inputs: unknown;
  /** The same inputs as Flyte's literals. An input is in only one of the two. */
  readonly inputLiterals: unknown;
  readonly settings: ExecutionSettings;
  readonly engine: ExecutionEngine;
  /** The task, if the launch plan only exists to run this one. */
  readonly taskId?: string | null;
  /** The execution from which it comes, if a caller does not just start one. */
  readonly origin?: {
    readonly mode: ExecutionMode;
    readonly referenceId: string;
    readonly sourceId: string;
    /** Where the input names that execution, and by this its project and launch plan. */
    readonly path: readonly string[];
  };
  /** The node of an engine from outside that starts it. */
  readonly parent?: ParentNode | null;
  /** The slot of a schedule, for an execution that a schedule starts. */
  readonly scheduled?: {
    readonly at: Date;
    /** Stores the progress of the schedule, in the transaction that stores the execution. */
    record(tx: Tx): Promise<void>;
  };
  /** For an execution that a trigger starts. */
  readonly triggered?: {
    /** The execution that has ended. */
    readonly sourceId: string;
    /** Ends the firing, in the transaction that stores the execution. */
    record(tx: Tx): Promise<void>;
  };
}

const inputPath = ['input'];

/**
 * Starts an execution of a launch plan. Its version need not be active. The execution is QUEUED, and the scheduler
 * starts it at once. This requires USE on the workflow of the launch plan, and on the project if the launch plan
 * belongs to another project.
 *
 * @param project  where it runs. The caller may read the project, or a workflow in it.
 * @throws NotFoundError for the launch plan; InvalidArgumentError with all problems of the name, the inputs and the
 * settings; AlreadyExistsError if the name is taken, and if the concurrency policy of the launch plan refuses the
 * execution. If two callers ask for a name at the same time, only one gets it.
 * Source: Flyte's CreateExecution.
 */
export async function createExecution(
  caller: Caller,
  project: Project,
  request: ExecutionRequest,
): Promise<ExecutionRow> {
  requireOpenProject(project, request.domain, request.origin?.path ?? inputPath);
  const plan = await getUsablePlan(caller, project, request);
  const { inputs, notifications } = checkedRequest(plan, request);
  await requireFiles(project, inputs);
  const settings = await resolvedSettings(project, plan, request);
  return await insert(caller, project, plan, { ...request, inputs, notifications, settings });
}

async function getUsablePlan(
  caller: Caller,
  project: Project,
  { launchPlan, origin }: ExecutionRequest,
): Promise<LaunchPlan> {
  const plan = await getAllowed(caller, 'launchPlan:use', {
    kind: 'launch plan',
    key: addressText(launchPlan.by),
    path: [...(origin?.path ?? inputPath), 'launchPlan'],
    find: () => launchPlan.find(),
    targetOf: launchPlanTarget,
  });
  if (plan.projectId !== project.id) await requireMayUse(caller, project);
  return plan;
}

/** The grants on a workflow of another project do not count for this project, whose queue the execution uses. */
async function requireMayUse(caller: Caller, project: Project): Promise<void> {
  const refused = await refusal(caller, 'execution:create', {
    kind: 'project',
    key: project.identifier,
    target: async () => projectTarget(project),
    // The caller may know the project, because the rule has checked that.
    within: async () => true,
  });
  if (refused) throw refused;
}

/** @throws InvalidArgumentError with all problems that the request has by itself. */
function checkedRequest(
  plan: LaunchPlan,
  request: ExecutionRequest,
): { readonly inputs: EffectiveInputs; readonly notifications: readonly Notification[] } {
  const nameProblem = request.name === null ? null : executionNameProblem(request.name, ['input', 'name']);
  const effective = effectiveInputs(plan as unknown as LaunchPlanInputs, request);
  const notified = frozenNotifications(request, plan.spec);
  const place = new Place(inputPath);
  // What an earlier execution has was checked before, and the labels of its project may be among its own.
  if (!request.origin) checkSettings(request.settings, place);
  const problems = [
    ...(nameProblem ? [nameProblem] : []),
    ...(effective.ok ? [] : effective.problems),
    ...(notified.ok ? [] : notified.problems),
    ...place.problems.all,
  ];
  if (problems.length > 0 || !effective.ok || !notified.ok) throw new InvalidArgumentError(problems);
  return { inputs: effective.value, notifications: notified.value };
}

async function requireFiles({ id, tenantId }: Project, { inputs }: EffectiveInputs): Promise<void> {
  const missing = await missingFiles({ tenantId, projectId: id }, inputs);
  if (missing.length > 0) throw new NotFoundError('file', firstFew(missing), ['input', 'inputs']);
}

/** @throws InvalidArgumentError for settings that this project or domain does not allow. */
async function resolvedSettings(
  project: Project,
  plan: LaunchPlan,
  { domain, settings, origin, parent }: ExecutionRequest,
): Promise<ResolvedSettings> {
  const { id: projectId, tenantId } = project;
  const projectLabels = project.labels as Record<string, string>;
  const place = new Place(inputPath);
  const asked = {
    tenantId,
    projectId,
    domain,
    projectLabels,
    plan,
    request: { ...settings, ...parent?.settings },
    isInherited: origin !== undefined,
  };
  const resolved = await resolveExecutionSettings(asked, place);
  place.problems.throwIfAny();
  return resolved;
}

async function insert(
  caller: Caller,
  project: Project,
  plan: LaunchPlan,
  {
    domain,
    engine,
    origin,
    taskId = null,
    parent,
    scheduled,
    triggered,
    inputs,
    notifications,
    settings,
    ...request
  }: Omit<ExecutionRequest, 'settings' | 'notifications'> & {
    readonly inputs: EffectiveInputs;
    readonly notifications: readonly Notification[];
    readonly settings: ResolvedSettings;
  },
): Promise<ExecutionRow> {
  const name = request.name ?? generatedExecutionName();
  const label = settings.spec.executionClusterLabel?.value ?? null;
  const { clusters } = controlPlaneConfig.executionDefaults;
  const made: NewExecution = {
    id: newId(),
    tenantId: caller.tenantId,
    projectId: project.id,
    domain,
    name,
    launchPlanId: plan.id,
    workflowId: plan.workflowId,
    workflowEntityId: plan.workflowEntityId,
    principalId: caller.userId,
    queue: defaultQueueName(project.identifier, domain),
    ...settings,
    engine,
    taskId,
    cluster: engine === 'EXTERNAL' ? clusterFor(name, label, clusters) : null,
    ...(origin && { mode: origin.mode, referenceId: origin.referenceId, sourceId: origin.sourceId }),
    ...(parent && {
      mode: origin?.mode ?? 'CHILD_WORKFLOW',
      principalId: parent.principalId,
      sourceId: parent.executionId,
      parentNodeId: parent.id,
      nesting: parent.nesting,
    }),
    ...(scheduled && { mode: 'SCHEDULED', scheduledAt: scheduled.at }),
    ...(triggered && { mode: 'TRIGGER', sourceId: triggered.sourceId }),
    notifications: notifications.length > 0 ? notifications : null,
    ...inputs,
  };
  const execution = await insertWithinLimit(plan, made, { parent, recorded: scheduled ?? triggered }).catch(
    async (error: unknown) => {
      // What it refers to was deleted after it had been read.
      throw isForeignKeyViolation(error) ? ((await goneReference(caller, plan, origin)) ?? error) : error;
    },
  );
  if (!execution) throw await takenName(caller, { project: project.identifier, domain, name });
  logOf(caller).info({ executionId: execution.id, project: project.identifier }, 'execution created');
  return execution;
}

/** The error for the launch plan or the repeated execution, if it does not exist any more. */
async function goneReference(
  { tenantId }: Caller,
  plan: LaunchPlan,
  origin: ExecutionRequest['origin'],
): Promise<NotFoundError | null> {
  if (!(await findLaunchPlan(tenantId, { id: plan.id })))
    return new NotFoundError('launch plan', plan.name, ['input', 'launchPlan']);
  if (!origin) return null;
  const [source] = await readExecutions(tenantId, [{ id: origin.referenceId }]);
  return source ? null : new NotFoundError('execution', origin.referenceId, origin.path);
}

async function takenName(
  caller: Caller,
  key: { readonly project: string; readonly domain: string; readonly name: string },
): Promise<DomainError> {
  const [holder] = await readExecutions(caller.tenantId, [{ key }]);
  return await nameConflict(caller, holder ? executionTarget(holder) : null, {
    kind: 'execution',
    name: key.name,
    path: ['input', 'name'],
  });
}
