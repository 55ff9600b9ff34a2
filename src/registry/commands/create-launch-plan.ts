import { getAllowed } from '../../authorization/get-allowed.ts';
import type { Leftover } from '../../flyte/form.ts';
import type { LaunchPlan, Project, Workflow } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { findProject } from '../../projects/store.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import { Place } from '../../values/problem-list.ts';
import { digestOf } from '../domain/digest.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { compileEntityMetadata } from '../domain/entity-metadata.ts';
import { withLeftoversBeside } from '../domain/flyte-specs.ts';
import { compileLaunchPlan, type LaunchPlanSpec } from '../domain/launch-plan.ts';
import {
  checkLaunchPlanSettings,
  type LaunchPlanSettings,
  storedSettings,
} from '../domain/launch-plan-settings.ts';
import { launchPlanTarget, workflowTarget } from '../domain/targets.ts';
import { compileTriggers } from '../domain/triggers.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import { keepVersions } from '../store/references.ts';
import { findLaunchPlan, findWorkflow, type VersionBy } from '../store.ts';
import { type Registration, storeVersion } from './store-version.ts';

export interface NewLaunchPlan extends LaunchPlanSpec {
  readonly key: EntityKey;
  readonly workflow: VersionBy;
  /** What its executions get, beside their inputs. */
  readonly settings: LaunchPlanSettings;
  /** Its schedule and its notifications, unchecked. */
  readonly entityMetadata?: unknown;
  /** Its triggers, unchecked. Flyte's form has none. */
  readonly triggers?: unknown;
  /** Where the fields stand in the input, if it is not `input`. */
  readonly path?: readonly string[];
  /** What Flyte's form of the launch plan says and ours cannot hold. It is stored and compared with the rest. */
  readonly leftovers?: readonly Leftover[];
  /** Checks everything and stores nothing. */
  readonly isDryRun: boolean;
  /** Its workflow, if that will be registered before it, for a dry run that checks both together. */
  readonly upcoming?: LaunchedWorkflow | undefined;
}

/** What a launch plan takes from its workflow. */
export interface LaunchedWorkflow {
  readonly key: EntityKey;
  readonly digest: string;
  readonly interface: TypedInterface;
  /** Null if it is not registered yet. */
  readonly row: Workflow | null;
}

/**
 * Registers a version of a launch plan, which is INACTIVE.
 *
 * @throws NotFoundError for the workflow, before any other check; InvalidArgumentError with all problems;
 * AlreadyExistsError if an identical version is registered. Source: Flyte's CreateLaunchPlan.
 */
export async function createLaunchPlan(
  caller: Caller,
  project: Project,
  plan: NewLaunchPlan,
): Promise<Registration<LaunchPlan>> {
  const { key } = plan;
  const workflow = (plan.isDryRun && plan.upcoming) || (await getLaunchedWorkflow(caller, plan));
  requireCompleteKey(key, ['input', 'key']);
  requireOpenProject(project, key.domain, ['input', 'key']);
  const place = new Place(plan.path ?? ['input']);
  checkLaunchPlanSettings(plan.settings, place);
  place.problems.throwIfAny();
  const signature = workflow.interface;
  const { expectedInputs, fixedInputs, inputOrder } = compileLaunchPlan(signature, plan, plan.path);
  const entityMetadata = compileEntityMetadata(plan.entityMetadata, { expectedInputs }, plan.path);
  const triggers = compileTriggers(plan.triggers, { expectedInputs, key });
  const own = {
    workflowId: workflow.key,
    workflowDigest: workflow.digest,
    expectedInputs,
    fixedInputs,
    ...storedSettings(plan.settings),
    ...(entityMetadata ? { entityMetadata } : {}),
    ...(triggers ? { triggers } : {}),
  };
  const document = withLeftoversBeside(own, plan.leftovers);
  const digest = digestOf(document);
  return await storeVersion(caller, {
    type: 'LAUNCH_PLAN',
    project,
    key,
    digest,
    document,
    read: 'launchPlan:read',
    isDryRun: plan.isDryRun,
    insert: async (tx, { id: entityId }) => {
      if (!workflow.row) throw new Error('a launch plan is stored after its workflow');
      if (!(await keepVersions(tx, 'WORKFLOW', [workflow.row.id])))
        throw new NotFoundError('workflow', addressText(plan.workflow), workflowPathOf(plan));
      return await tx.launchPlan.create({
        data: {
          id: newId(),
          entityId,
          tenantId: caller.tenantId,
          projectId: project.id,
          domain: key.domain,
          name: key.name,
          version: key.version,
          workflowId: workflow.row.id,
          workflowEntityId: workflow.row.entityId,
          spec: document,
          expectedInputs: expectedInputs as object,
          fixedInputs: fixedInputs as object,
          expectedOutputs: signature.outputs as object,
          inputOrder: [...inputOrder],
          digest,
        },
      });
    },
    find: async () => {
      const known = await findLaunchPlan(caller.tenantId, { key });
      return (
        known && {
          row: known,
          id: known.id,
          digest: known.digest,
          document: known.spec,
          target: launchPlanTarget(known),
        }
      );
    },
  });
}

const workflowPathOf = ({ path }: NewLaunchPlan) => (path ? [...path, 'workflowId'] : ['input', 'workflow']);

async function getLaunchedWorkflow(caller: Caller, plan: NewLaunchPlan): Promise<LaunchedWorkflow> {
  const by = plan.workflow;
  const workflowPath = workflowPathOf(plan);
  if ('key' in by) requireCompleteKey(by.key, plan.path ? workflowPath : [...workflowPath, 'key']);
  const row = await getAllowed(caller, 'workflow:read', {
    kind: 'workflow',
    key: addressText(by),
    path: workflowPath,
    find: () => findWorkflow(caller.tenantId, by),
    targetOf: workflowTarget,
  });
  const { digest } = row;
  return { key: await keyOf(row), digest, interface: row.interface as unknown as TypedInterface, row };
}

async function keyOf({ tenantId, projectId, domain, name, version }: Workflow): Promise<EntityKey> {
  const project = await findProject(tenantId, { id: projectId });
  return { project: project?.identifier ?? '', domain, name, version };
}
