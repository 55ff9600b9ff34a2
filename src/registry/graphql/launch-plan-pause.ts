import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { addressText } from '../../platform/address-text.ts';
import { NotFoundError } from '../../platform/errors.ts';
import type { VersionBy } from '../store.ts';
import { LaunchPlanByInput } from './entity-key.ts';

/** What the mutations that pause and resume something of a launch plan have in common. */

type What = 'schedule' | 'triggers';

const nounOf = (what: What) => (what === 'schedule' ? 'A schedule' : 'Triggers');
const versionText = (what: What) => `The version with the ${what}. It is ACTIVE.`;

export const pauseInput = (name: string, what: What) =>
  builder.inputType(name, {
    description: `${nounOf(what)} to pause.`,
    fields: (t) => ({
      by: t.field({ type: LaunchPlanByInput, required: true, description: versionText(what) }),
      reason: t.string({
        required: true,
        description: 'The reason, 1 to 500 characters. The status shows it.',
      }),
    }),
  });

export const resumeInput = (name: string, what: What) =>
  builder.inputType(name, {
    description: `${nounOf(what)} to resume.`,
    fields: (t) => ({
      by: t.field({ type: LaunchPlanByInput, required: true, description: versionText(what) }),
    }),
  });

/** @throws NotFoundError if it was deleted after the rule had found it. */
export async function getPlan(by: VersionBy, { loaders }: Context) {
  const plan = await loaders.launchPlan.load(by);
  if (!plan) throw new NotFoundError('launch plan', addressText(by), ['input', 'by']);
  return plan;
}
