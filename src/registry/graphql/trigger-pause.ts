import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { FailedPreconditionError, InvalidArgumentError } from '../../platform/errors.ts';
import { pauseLaunchPlanTriggers } from '../commands/pause-launch-plan-triggers.ts';
import { resumeLaunchPlanTriggers } from '../commands/resume-launch-plan-triggers.ts';
import type { VersionBy } from '../store.ts';
import { LaunchPlanType } from './launch-plan.ts';
import { getPlan, pauseInput, resumeInput } from './launch-plan-pause.ts';

const PausePayload = payload('PauseLaunchPlanTriggersPayload', 'launchPlan', LaunchPlanType);
const ResumePayload = payload('ResumeLaunchPlanTriggersPayload', 'launchPlan', LaunchPlanType);

const PauseInput = pauseInput('PauseLaunchPlanTriggersInput', 'triggers');
const ResumeInput = resumeInput('ResumeLaunchPlanTriggersInput', 'triggers');

builder.mutationFields((t) => ({
  pauseLaunchPlanTriggers: t.field({
    type: PausePayload,
    nullable: true,
    description:
      'Pauses all triggers of an ACTIVE version. Requires EDIT on its workflow. What ends during the pause starts nothing, also not later. The pause stays if another version is activated; it ends when it is resumed, and when the launch plan is deactivated. If the triggers are paused already, nothing changes.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(PauseInput),
    resolve: async (_root, { input }, context) => {
      const launchPlan = await getPlan(input.by as VersionBy, context);
      await pauseLaunchPlanTriggers(callerOf(context), launchPlan, input.reason);
      context.loaders.launchPlanTriggers.clear(launchPlan.id);
      return { launchPlan };
    },
  }),
  resumeLaunchPlanTriggers: t.field({
    type: ResumePayload,
    nullable: true,
    description:
      'Lets paused triggers act again. Requires EDIT on the workflow. What has ended during the pause starts nothing. If the triggers are not paused, nothing changes.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(ResumeInput),
    resolve: async (_root, { input }, context) => {
      const launchPlan = await getPlan(input.by as VersionBy, context);
      await resumeLaunchPlanTriggers(launchPlan);
      context.loaders.launchPlanTriggers.clear(launchPlan.id);
      return { launchPlan };
    },
  }),
}));
