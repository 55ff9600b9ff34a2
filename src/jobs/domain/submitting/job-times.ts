import type { Place } from '../../../values/problem-list.ts';
import { amountOf } from '../scheduling/resources.ts';
import type { ResourceAmount } from './given-job.ts';

export interface DeadlineRules {
  readonly deadlineSeconds: number;
  /** For jobs that request a resource. The longest one counts. */
  readonly resourceDeadlines: ReadonlyMap<string, number>;
}

/** The largest number of the column. */
const MAX_SECONDS = 2_147_483_647;
const MIN_GRACE_MS = 1000;
const MAX_GRACE_MS = 5 * 60 * 1000;

/**
 * How long one run may take, in whole seconds, rounded up. Without a value: the longest default of the resources that
 * the job requests, or else the default of the server. Source: Armada.
 */
export function readDeadline(
  givenMs: number | null,
  requests: readonly ResourceAmount[],
  rules: DeadlineRules,
  place: Place,
): number {
  if (givenMs === null) {
    const wanted = requests.filter(({ name, value }) => (amountOf(name, value) ?? 0) > 0);
    const ofResources = wanted.flatMap(({ name }) => rules.resourceDeadlines.get(name) ?? []);
    return ofResources.length > 0 ? Math.max(...ofResources) : rules.deadlineSeconds;
  }
  const seconds = Math.ceil(givenMs / 1000);
  if (seconds < 1) place.report('InvalidValue', 'must be longer than 0');
  if (seconds > MAX_SECONDS) place.report('InvalidValue', `must be at most ${MAX_SECONDS} seconds`);
  return seconds;
}

/** The time between asking a program to end and killing it, in whole seconds, rounded up. 0 means the shortest. */
export function readGrace(givenMs: number | null, place: Place): number {
  const grace = givenMs === null || givenMs === 0 ? MIN_GRACE_MS : givenMs;
  if (grace < MIN_GRACE_MS || grace > MAX_GRACE_MS)
    place.report('InvalidValue', 'must be 1 second to 5 minutes');
  return Math.ceil(grace / 1000);
}
