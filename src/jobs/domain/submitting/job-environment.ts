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

const UNIFORMITY_VALUE = 'GANG_NODE_UNIFORMITY_LABEL_VALUE';

/**
 * The same variables with the value of the label that all nodes of the gang share, which is known when the job has its
 * node.
 */
export function withUniformityValue(
  environment: Readonly<Record<string, string>>,
  value: string | null,
  env: readonly Entry[],
): Readonly<Record<string, string>> {
  if (value === null) return environment;
  const armadas = `ARMADA_${UNIFORMITY_VALUE}`;
  return {
    ...environment,
    [`${OWN_PREFIX}${UNIFORMITY_VALUE}`]: value,
    ...(env.some(({ key }) => key === armadas) ? {} : { [armadas]: value }),
  };
}
