import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';
import { labelProblems } from '../../platform/labels.ts';

/**
 * One rule of a retention policy. It fits an execution that meets all its conditions. The first rule of the policy that
 * fits an execution counts, and without such a rule the execution is kept.
 */
export interface RetentionRule {
  /** How long after its end an execution is deleted; null for never. */
  readonly keepSeconds: number | null;
  /** Empty for all phases. */
  readonly phases: readonly ExecutionPhase[];
  /** All of these labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether the rule fits only executions that are ARCHIVED. */
  readonly archivedOnly: boolean;
}

export const MAX_RULES = 10;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** An execution must not disappear while somebody still looks at its end. */
export const MIN_KEEP_SECONDS = HOUR;
export const MAX_KEEP_SECONDS = 3650 * DAY;

export const endedPhases: readonly ExecutionPhase[] = ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'];

/** What is wrong with rules. */
export function ruleProblems(rules: readonly RetentionRule[], path: readonly string[]): Problem[] {
  if (rules.length > MAX_RULES)
    return [{ path, code: 'TooLarge', message: `must have at most ${MAX_RULES} entries` }];
  return rules.flatMap((rule, at) => {
    const here = [...path, String(at)];
    const fault = (field: string, message: string): Problem => ({
      path: [...here, field],
      code: 'InvalidValue',
      message,
    });
    const { keepSeconds, phases, labels } = rule;
    const isTooShortOrLong =
      keepSeconds !== null && (keepSeconds < MIN_KEEP_SECONDS || keepSeconds > MAX_KEEP_SECONDS);
    const open = phases.find((phase) => !endedPhases.includes(phase));
    const earlier = rules.slice(0, at).findIndex((other) => fitsAllOf(other, rule));
    return [
      ...(isTooShortOrLong ? [fault('keepFor', 'must be from 1 hour to 3650 days')] : []),
      ...(open ? [fault('phases', `an execution that is ${open} has not ended`)] : []),
      ...(new Set(phases).size < phases.length ? [fault('phases', 'has a phase twice')] : []),
      ...labelProblems(labels, [...here, 'labels']),
      ...(earlier < 0
        ? []
        : [fault('keepFor', `never counts, because rule ${earlier} before it fits the same executions`)]),
    ];
  });
}

/** Whether the first rule fits all executions that the second one fits. */
function fitsAllOf(one: RetentionRule, other: RetentionRule): boolean {
  const phasesOf = ({ phases }: RetentionRule) => (phases.length === 0 ? endedPhases : phases);
  return (
    phasesOf(other).every((phase) => phasesOf(one).includes(phase)) &&
    Object.entries(one.labels).every(([key, value]) => other.labels[key] === value) &&
    (other.archivedOnly || !one.archivedOnly)
  );
}

/** The shortest time after which one of the rules deletes something; null if none does. */
export function shortestKeep(rules: readonly RetentionRule[]): number | null {
  const times = rules.flatMap(({ keepSeconds }) => keepSeconds ?? []);
  return times.length === 0 ? null : Math.min(...times);
}
