import { refusal } from '../../authorization/can.ts';
import { getAllowed } from '../../authorization/get-allowed.ts';
import { launchPlanInputs } from '../../flyte/flyte-json.ts';
import type { EntityType, LaunchPlan, Project } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { findProject } from '../../projects/store.ts';
import { type EntityKey, entityKeyText } from '../domain/entity-keys.ts';
import { entityMetadataIn } from '../domain/entity-metadata.ts';
import { leftoversIn } from '../domain/flyte-specs.ts';
import type { LaunchPlanInputs } from '../domain/launch-plan.ts';
import { settingsIn } from '../domain/launch-plan-settings.ts';
import { launchPlanTarget } from '../domain/targets.ts';
import type { CompiledTask, TaskTemplate } from '../domain/task-templates.ts';
import { type Rekey, templateOfCompiled } from '../domain/template-of-compiled.ts';
import { type Trigger, triggersIn } from '../domain/triggers.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import type { CompiledLaunchPlan, CompiledWorkflowClosure } from '../domain/workflow-templates.ts';
import { findLaunchPlan } from '../store.ts';
import { createLaunchPlan, type LaunchedWorkflow } from './create-launch-plan.ts';
import { createTask } from './create-task.ts';
import { createWorkflow, type Upcoming } from './create-workflow.ts';
import { listPromotedVersions, type PromotedVersion } from './list-promoted-versions.ts';
import type { Registration } from './store-version.ts';

/** Where the copies go. */
export interface Promotion {
  /** The identifier of the project; null for the project of the launch plan. */
  readonly project: string | null;
  readonly domain: string;
  /** The version of the launch plan there; null for the same version. */
  readonly version: string | null;
  /** Checks everything and stores nothing. */
  readonly isDryRun: boolean;
}

/** What a promotion has done with one version, or would do. */
export interface PromotedEntity {
  readonly type: EntityType;
  /** The key of the copy. */
  readonly key: EntityKey;
  readonly outcome: Registration<unknown>['outcome'];
}

export interface Promoted {
  /** Null only in a dry run, if the copy does not exist. */
  readonly launchPlan: LaunchPlan | null;
  readonly entities: readonly PromotedEntity[];
}

/** A version, and the key of its copy. */
interface Copy {
  readonly from: PromotedVersion;
  readonly key: EntityKey;
  readonly rekey: Rekey;
}

interface CheckedCopy extends Copy {
  readonly outcome: PromotedEntity['outcome'];
}

/** The copies that do not exist yet, as the copies that refer to them need them. */
interface UpcomingCopies extends Upcoming {
  readonly tasks: CompiledTask[];
  readonly launchPlans: CompiledLaunchPlan[];
  readonly workflows: Map<string, LaunchedWorkflow>;
}

/**
 * Copies a version of a launch plan into a domain, with everything of its project and domain that it needs. The
 * references between the copies lead to copies; other references stay as they are.
 *
 * Everything is checked before anything is stored. Copies that exist with the same content are left alone, so the next
 * call completes a promotion that has failed in the middle.
 *
 * @throws NotFoundError for the project, and for what the caller may not read; DifferentStructureError for the first
 * copy that exists with another content; InvalidArgumentError; what the registrations of the copies throw.
 */
export async function promoteLaunchPlan(
  caller: Caller,
  plan: LaunchPlan,
  { project: identifier, domain, version, isDryRun }: Promotion,
): Promise<Promoted> {
  const { tenantId } = caller;
  const home = await findProject(tenantId, { id: plan.projectId });
  if (!home) throw new Error(`the project of launch plan ${plan.id} does not exist`);
  const source = { project: home.identifier, domain: plan.domain, name: plan.name, version: plan.version };
  const project = await getProjectOfCopies(caller, identifier ?? home.identifier);
  requireOpenProject(project, domain, ['input']);
  const key = { ...source, project: project.identifier, domain, version: version ?? plan.version };
  requireCompleteKey(key, ['input']);
  const rekey: Rekey = (one) =>
    one.project === source.project && one.domain === source.domain
      ? { ...one, project: project.identifier, domain }
      : one;
  const versions = await listPromotedVersions(caller, source);
  if (versions.some(({ type }) => type === 'TASK')) await requireMayCreateTasks(caller, project);
  // The last version is the launch plan itself.
  const copies = versions.map((from, at) => ({
    from,
    key: at === versions.length - 1 ? key : rekey(from.key),
    rekey,
  }));
  const checked = await checkCopies(caller, project, copies);
  const done = isDryRun ? checked : await storeCopies(caller, project, checked);
  return {
    launchPlan: await findLaunchPlan(tenantId, { key }),
    entities: done.map(({ from: { type }, key, outcome }) => ({ type, key, outcome })),
  };
}

/** @throws NotFoundError if the project does not exist or is hidden. */
const getProjectOfCopies = (caller: Caller, identifier: string): Promise<Project> =>
  getAllowed(caller, 'launchPlan:create', {
    kind: 'project',
    key: identifier,
    path: ['input', 'project'],
    find: () => findProject(caller.tenantId, { identifier }),
    targetOf: projectTarget,
  });

async function requireMayCreateTasks(caller: Caller, project: Project): Promise<void> {
  const refused = await refusal(caller, 'task:create', {
    kind: 'project',
    key: project.identifier,
    path: ['input', 'project'],
    target: async () => projectTarget(project),
  });
  if (refused) throw refused;
}

/** What the registration of each copy would do. The copies come after those that they refer to. */
async function checkCopies(
  caller: Caller,
  project: Project,
  copies: readonly Copy[],
): Promise<CheckedCopy[]> {
  const upcoming: UpcomingCopies = { tasks: [], launchPlans: [], workflows: new Map() };
  const checked: CheckedCopy[] = [];
  for (const copy of copies) {
    const { outcome, digest, document } = await register(caller, project, copy, upcoming);
    checked.push({ ...copy, outcome });
    if (outcome === 'IDENTICAL') continue;
    const { from, key: id } = copy;
    if (from.type === 'TASK') upcoming.tasks.push({ id, template: document as TaskTemplate });
    else if (from.type === 'WORKFLOW') {
      const { interface: signature } = (document as CompiledWorkflowClosure).primary.template;
      upcoming.workflows.set(entityKeyText(id), { key: id, digest, interface: signature, row: null });
    } else if (copy !== copies.at(-1)) {
      await requireUseOfCopy(caller, project, copy.key, from);
      const { expectedInputs } = document as LaunchPlanInputs;
      const expectedOutputs = from.row.expectedOutputs as unknown as CompiledLaunchPlan['expectedOutputs'];
      upcoming.launchPlans.push({ id, expectedInputs, expectedOutputs });
    }
  }
  return checked;
}

/**
 * A workflow may start only launch plans on which its author has USE. Who may register the copy of a workflow has it on
 * the launch plans of this workflow. But the grants on a workflow that stays where it is may say something else.
 */
async function requireUseOfCopy(
  caller: Caller,
  project: Project,
  key: EntityKey,
  { workflow, isWithWorkflow }: Extract<PromotedVersion, { type: 'LAUNCH_PLAN' }>,
): Promise<void> {
  if (isWithWorkflow) return;
  const { tenantId, id: projectId } = project;
  const refused = await refusal(caller, 'launchPlan:use', {
    kind: 'launch plan',
    key: addressText({ key }),
    path,
    target: async () => launchPlanTarget({ tenantId, projectId, workflowEntityId: workflow.entityId }),
  });
  if (refused) throw refused;
}

/** Registers the copies that do not exist yet. */
async function storeCopies(
  caller: Caller,
  project: Project,
  checked: readonly CheckedCopy[],
): Promise<CheckedCopy[]> {
  const done: CheckedCopy[] = [];
  for (const copy of checked)
    done.push(copy.outcome === 'NEW' ? await storeCopy(caller, project, copy) : copy);
  return done;
}

async function storeCopy(caller: Caller, project: Project, copy: CheckedCopy): Promise<CheckedCopy> {
  try {
    await register(caller, project, copy);
    return copy;
  } catch (error) {
    // Another caller was faster, and has registered the same content.
    if (error instanceof AlreadyExistsError) return { ...copy, outcome: 'IDENTICAL' };
    throw error;
  }
}

const path = ['input', 'by'];

const nouns = { TASK: 'task', WORKFLOW: 'workflow', LAUNCH_PLAN: 'launchPlan' } as const satisfies Readonly<
  Record<EntityType, string>
>;

/**
 * Registers one copy in the form in which the version is stored, which loses nothing.
 *
 * @param upcoming  what will be registered before it. With it, everything is checked and nothing is stored.
 */
async function register(
  caller: Caller,
  project: Project,
  { from, key, rekey }: Copy,
  upcoming?: UpcomingCopies,
): Promise<Registration<unknown>> {
  const at = [...path, nouns[from.type], from.key.name];
  const isDryRun = upcoming !== undefined;
  try {
    if (from.type === 'TASK') {
      const { leftovers: _beside, ...template } = from.row.template as { readonly leftovers?: unknown };
      return await createTask(caller, project, {
        key,
        template,
        path: at,
        leftovers: leftoversIn(from.row.template),
        shortDescription: from.row.shortDescription,
        description: from.description,
        isDryRun,
      });
    }
    if (from.type === 'WORKFLOW') {
      const { primary, subWorkflows = [] } = from.row.closure as unknown as CompiledWorkflowClosure;
      return await createWorkflow(caller, project, {
        key,
        template: templateOfCompiled(primary.template, rekey),
        subWorkflows: subWorkflows.map(({ id, template }) => ({
          id: rekey(id),
          template: templateOfCompiled(template, rekey),
        })),
        paths: { template: at, subWorkflows: [...at, 'subWorkflows'] },
        leftovers: leftoversIn(from.row.closure),
        shortDescription: from.row.shortDescription,
        description: from.description,
        isDryRun,
        upcoming,
      });
    }
    const workflow = rekey(from.workflowKey);
    const spec = from.row.spec as unknown as LaunchPlanInputs & { readonly workflowId: EntityKey };
    return await createLaunchPlan(caller, project, {
      key,
      workflow: { key: workflow },
      ...launchPlanInputs({ ...spec }),
      settings: settingsIn(spec),
      entityMetadata: entityMetadataIn(spec),
      triggers: triggersIn(spec).map((trigger) => triggerOfCopy(trigger, rekey)),
      path: at,
      leftovers: leftoversIn(spec),
      isDryRun,
      upcoming: upcoming?.workflows.get(entityKeyText(workflow)),
    });
  } catch (error) {
    throw error instanceof InvalidArgumentError ? withPath(error, at) : error;
  }
}

/** A trigger on a launch plan of the same domain waits for the launch plan of this name in the new domain. */
function triggerOfCopy({ launchPlan, ...rest }: Trigger, rekey: Rekey): Trigger {
  const { version: _none, ...source } = rekey({ ...launchPlan, version: '' });
  return { launchPlan: source, ...rest };
}

/** The error with our paths: the input of a promotion has no key of the copy. */
function withPath(error: InvalidArgumentError, at: readonly string[]): InvalidArgumentError {
  const moved = new InvalidArgumentError(
    error.problems.map((problem) =>
      problem.path[1] === 'key' ? { ...problem, path: [...at, ...problem.path.slice(2)] } : problem,
    ),
  );
  moved.refusal = error.refusal;
  return moved;
}
