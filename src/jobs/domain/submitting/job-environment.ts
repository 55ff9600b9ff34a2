import type { GangRequest } from '../submission.ts';
import type { Entry } from './given-job.ts';

export interface JobPlace {
  readonly jobId: string;
  readonly queue: string;
  readonly jobSet: string;
}

/** Names of variables that begin so are ours: users cannot set them. */
export const OWN_PREFIX = 'SLIPWAY_';

/**
 * The variables that tell a program its job, its queue and its gang, under our names and under those of Armada. Of
 * Armada's names, those that the container sets itself are left out.
 */
export function jobEnvironment(
  { jobId, queue, jobSet }: JobPlace,
  gang: GangRequest | null,
  env: readonly Entry[],
): Record<string, string> {
  const ofGang = gang && gang.cardinality > 1 ? gangVariables(gang) : [];
  const own = [['JOB_ID', jobId], ['QUEUE', queue], ['JOB_SET', jobSet], ...ofGang] as const;
  const armadas = [['JOB_ID', jobId], ['QUEUE', queue], ['JOB_SET_ID', jobSet], ...ofGang] as const;
  const taken = new Set(env.map(({ key }) => key));
  return Object.fromEntries([
    ...own.map(([name, value]) => [`${OWN_PREFIX}${name}`, value] as const),
    ...armadas
      .map(([name, value]) => [`ARMADA_${name}`, value] as const)
      .filter(([name]) => !taken.has(name)),
  ]);
}

const gangVariables = ({ name, cardinality, uniformityLabel }: GangRequest) =>
  [
    ['GANG_ID', name],
    ['GANG_CARDINALITY', String(cardinality)],
    ...(uniformityLabel === null ? [] : [['GANG_NODE_UNIFORMITY_LABEL_NAME', uniformityLabel] as const]),
  ] as const;
