import { type Find, isSeen, refusal } from '../../authorization/can.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import { grantCreator } from '../../authorization/grant-creator.ts';
import type { Leftover } from '../../flyte/form.ts';
import type { EntityType, LaunchPlan, Project, Workflow } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { compileWorkflow } from '../domain/compile-workflow.ts';
import { checkDescriptions, type Description } from '../domain/description.ts';
import { digestOf } from '../domain/digest.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { withLeftoversBeside } from '../domain/flyte-specs.ts';
import { referencedKeys } from '../domain/inner-nodes.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../domain/read-workflow-templates.ts';
import { launchPlanTarget, workflowNameTarget, workflowTarget } from '../domain/targets.ts';
import type { CompiledTask } from '../domain/task-templates.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import type { CompiledLaunchPlan, CompiledWorkflowClosure } from '../domain/workflow-templates.ts';
import { describedBy } from '../store/descriptions.ts';
import { keepVersions } from '../store/references.ts';
import { findNamedEntity, findWorkflow, idsByKey, readLaunchPlans } from '../store.ts';
import { listReadableTasks, listReadableVersions, type Registered } from './list-readable-versions.ts';
import { type Registration, requireUsableName, storeVersion } from './store-version.ts';
import { storedVersions, visibleClosure } from './visible-closure.ts';

export interface NewWorkflow {
  readonly key: EntityKey;
  readonly template: unknown;
  /** The workflows that nodes run inside of the same execution, each with its key. */
  readonly subWorkflows?: unknown;
  /** Where the two stand in the input, if it is not there. */
  readonly paths?: { readonly template: readonly string[]; readonly subWorkflows: readonly string[] };
  /** What Flyte's form of the workflow says and the templates cannot hold. It is stored and compared with them. */
  readonly leftovers?: readonly Leftover[];
  readonly shortDescription: string;
  readonly description: Description | null;
  /** Checks everything and stores nothing. */
  readonly isDryRun: boolean;
  /** What will be registered before the workflow, for a dry run that checks all of it together. */
  readonly upcoming?: Upcoming | undefined;
}

/** Versions that are not registered yet. */
export interface Upcoming {
  readonly tasks: readonly CompiledTask[];
  readonly launchPlans: readonly CompiledLaunchPlan[];
}

/**
 * Registers a version of a workflow: it is compiled with the registered tasks and launch plans, and stored together
 * with them permanently.
 *
 * A workflow may use tasks of other projects if the caller may read them, and launch plans if the caller has USE on
 * them. What the caller may not read is reported as not found.
 *
 * @throws InvalidArgumentError with all problems that the compiler found; AlreadyExistsError if an identical version is
 * registered. Source: Flyte's CreateWorkflow.
 */
export async function createWorkflow(
  caller: Caller,
  project: Project,
  {
    key,
    template,
    subWorkflows: given = [],
    paths,
    leftovers,
    isDryRun,
    upcoming,
    ...described
  }: NewWorkflow,
): Promise<Registration<Workflow>> {
  const holder = await requireMayRegister(caller, project, key);
  requireCompleteKey(key, ['input', 'key']);
  const { shortDescription, description } = checkDescriptions(
    described.shortDescription,
    described.description,
  );
  requireOpenProject(project, key.domain, ['input', 'key']);
  const { workflowNodeLimit, workflowLimitBytes } = controlPlaneConfig;
  const written = readWorkflowTemplate(template, paths?.template, workflowNodeLimit);
  const subWorkflows = readSubWorkflows(given, paths?.subWorkflows, workflowNodeLimit);
  const referenced = referencedKeys(written, subWorkflows);
  const tasks = await listReadableTasks(caller, referenced.tasks);
  const launchPlans = await usableLaunchPlans(caller, referenced.launchPlans);
  const later = isDryRun && upcoming ? upcoming : { tasks: [], launchPlans: [] };
  // Of two with the same key, the last one counts, which is the registered one.
  const known = {
    tasks: [...later.tasks, ...tasks.map(({ compiled }) => compiled)],
    launchPlans: [...later.launchPlans, ...launchPlans.map(({ compiled }) => compiled)],
    subWorkflows,
  };
  const closure = compileWorkflow(written, known, {
    path: paths?.template,
    subWorkflowsPath: paths?.subWorkflows,
  });
  const document = withLeftoversBeside(closure, leftovers);
  requireFittingSize(document, workflowLimitBytes, paths?.template ?? ['input', 'template']);
  const digest = digestOf(document);
  await requireUsableName(caller, key, holder);
  return await storeVersion(caller, {
    type: 'WORKFLOW',
    project,
    key,
    digest,
    document,
    read: 'workflow:read',
    isDryRun,
    visible: async (registered) => {
      const closure = registered as CompiledWorkflowClosure;
      return await visibleClosure(caller, closure, await storedVersions(caller.tenantId, closure));
    },
    insert: async (tx, entity) => {
      await requireStillThere(tx, 'TASK', tasks);
      await requireStillThere(tx, 'LAUNCH_PLAN', launchPlans);
      if (entity.isNew) await grantCreator(tx, caller, { type: 'WORKFLOW', id: entity.id, name: key.name });
      const { domain, name, version } = key;
      const { tenantId } = caller;
      const place = { entityId: entity.id, tenantId, projectId: project.id, domain, name, version };
      return await tx.workflow.create({
        data: {
          id: newId(),
          ...place,
          interface: closure.primary.template.interface as object,
          closure: document,
          taskIds: idsByKey(tasks),
          launchPlanIds: idsByKey(launchPlans),
          digest,
          shortDescription,
          ...describedBy(description, { type: 'WORKFLOW', ...place }),
        },
      });
    },
    find: async () => {
      const workflow = await findWorkflow(caller.tenantId, { key });
      return (
        workflow && {
          row: workflow,
          id: workflow.id,
          digest: workflow.digest,
          document: workflow.closure,
          target: workflowTarget(workflow),
        }
      );
    },
  });
}

/** @throws InvalidArgumentError if a version that the workflow refers to was deleted after it had been read. */
async function requireStillThere(
  tx: Tx,
  type: EntityType,
  versions: readonly { readonly id: string }[],
): Promise<void> {
  const ids = versions.map(({ id }) => id);
  if (!(await keepVersions(tx, type, ids)))
    throw InvalidArgumentError.of(
      ['input', 'template'],
      'something that the workflow refers to was deleted at the same time',
      'WorkflowReferenceNotFound',
    );
}

/**
 * Requires EDIT on the workflow if the caller may read a workflow of this name, and otherwise on the project. So a
 * hidden workflow is treated like an absent one and takes the same statements; its name is refused later.
 *
 * @returns the target of the workflow that has the name; null if none has it.
 */
async function requireMayRegister(caller: Caller, project: Project, key: EntityKey): Promise<Target | null> {
  const name = await findNamedEntity(project.id, 'WORKFLOW', key);
  const workflow = name && workflowNameTarget(project, name);
  const named = { kind: 'workflow', key: addressText({ key }) } as const;
  const find: Find = (await isSeen(caller, named, workflow))
    ? { ...named, target: async () => workflow }
    : { kind: 'project', key: project.identifier, target: async () => projectTarget(project) };
  // The rule has allowed callers who may read a workflow of the project, so they may know the project.
  const refused = await refusal(caller, 'workflow:create', { ...find, within: async () => true });
  if (refused) throw refused;
  return workflow;
}

/** @param limitBytes  of the closure as JSON, with the templates of its tasks; 0 means no limit. */
function requireFittingSize(document: object, limitBytes: number, path: readonly string[]): void {
  const sizeBytes = limitBytes === 0 ? 0 : Buffer.byteLength(JSON.stringify(document));
  if (sizeBytes <= limitBytes) return;
  const message = `the compiled workflow must have at most ${limitBytes} bytes, got ${sizeBytes}`;
  throw InvalidArgumentError.of(path, message, 'TooLarge');
}

/**
 * The launch plans that the caller may use. A node of a launch plan lets everybody run it who may run the workflow, so the author needs
 * USE on it.
 *
 * @throws PermissionDeniedError for a launch plan that the caller may read but not use.
 */
async function usableLaunchPlans(
  caller: Caller,
  keys: readonly EntityKey[],
): Promise<Registered<CompiledLaunchPlan>[]> {
  const found = await listReadableVersions<LaunchPlan, CompiledLaunchPlan & { readonly target: Target }>(
    caller,
    keys,
    {
      kind: 'launch plan',
      permission: 'launchPlan:read',
      read: (addresses) => readLaunchPlans(caller.tenantId, addresses),
      targetOf: launchPlanTarget,
      compiledOf: (row, id) => ({
        id,
        expectedInputs: row.expectedInputs as unknown as CompiledLaunchPlan['expectedInputs'],
        expectedOutputs: row.expectedOutputs as unknown as CompiledLaunchPlan['expectedOutputs'],
        target: launchPlanTarget(row),
      }),
    },
  );
  for (const { compiled } of found) {
    const refused = await refusal(caller, 'launchPlan:use', {
      kind: 'launch plan',
      key: addressText({ key: compiled.id }),
      path: ['input', 'template'],
      target: async () => compiled.target,
    });
    if (refused) throw refused;
  }
  return found.map(({ id, compiled: { target: _target, ...compiled } }) => ({ id, compiled }));
}
