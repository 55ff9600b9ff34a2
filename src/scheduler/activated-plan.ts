import type { LaunchPlan, Project } from '../generated/prisma/client.ts';
import type { Caller } from '../platform/caller.ts';
import { PermissionDeniedError } from '../platform/errors.ts';
import { findProject } from '../projects/store.ts';
import { findLaunchPlan } from '../registry/store.ts';
import { findCallerOfUser } from '../sign-in/caller-of-user.ts';

/** A schedule or trigger of an active version, which starts executions as the user who activated it. */
interface Activation {
  readonly tenantId: string;
  readonly launchPlanId: string;
  readonly activatedById: string;
}

/** The version that a schedule or trigger starts, and its project. */
export async function getActivatedPlan({
  tenantId,
  launchPlanId,
}: Activation): Promise<{ plan: LaunchPlan; project: Project }> {
  const plan = await findLaunchPlan(tenantId, { id: launchPlanId });
  const project = plan && (await findProject(tenantId, { id: plan.projectId }));
  if (!plan || !project)
    throw new Error(`a schedule or trigger of launch plan ${launchPlanId} has no launch plan`);
  return { plan, project };
}

/**
 * The user who activated the version, with the rights of this moment.
 *
 * @throws PermissionDeniedError if this user is disabled or deleted.
 */
export async function getActivator({ activatedById }: Activation): Promise<Caller> {
  const caller = await findCallerOfUser(activatedById);
  if (!caller)
    throw new PermissionDeniedError('the user who activated the launch plan is disabled or deleted');
  return caller;
}
