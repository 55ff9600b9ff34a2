import { durationNanoseconds, normalDuration } from '../values/durations.ts';
import { isRecord } from '../values/json.ts';
import { always, type Form, given, listOf, message, same, unless, wrapped } from './form.ts';
import { duration } from './literal-forms.ts';
import { securityContext } from './security-context-form.ts';

/** Source: Flyte v1.16, `flyteidl/admin/launch_plan.proto`, `common.proto`, `core/security.proto`, `execution.proto`. */

const stringMap = wrapped('values', {}, same);

/** Flyte has a list of keys and values where we have a map. A list with a key twice has no map, so it stays. */
const variables: Form = {
  toOurs(flyte) {
    if (!Array.isArray(flyte)) return flyte;
    const entries = flyte.map((one) => (isRecord(one) ? [one['key'] ?? '', one['value'] ?? ''] : []));
    const isMap =
      new Set(entries.map(([key]) => key)).size === entries.length &&
      entries.every(([key]) => typeof key === 'string');
    return isMap ? Object.fromEntries(entries) : flyte;
  },
  toFlyte: (ours) =>
    isRecord(ours)
      ? Object.entries(ours).map(([key, value]) => ({ key, ...(value !== '' && { value }) }))
      : ours,
};

const budgetMessage = message({ queueingBudget: given(duration) });

/** Our form has the budget in milliseconds. It cannot hold parts of them, nor tiers that say nothing. */
export const qualityOfService: Form = {
  toOurs(flyte, place) {
    if (!isRecord(flyte)) return flyte;
    const { tier, spec, ...others } = flyte;
    const isAlone = Object.keys(others).length === 0;
    if (isAlone && spec === undefined && ['HIGH', 'MEDIUM', 'LOW'].includes(String(tier))) return { tier };
    const budget = isAlone && tier === undefined ? millisecondsOf(spec) : null;
    return budget === null ? place.leave(flyte) : { queueingBudgetMilliseconds: budget };
  },
  toFlyte(ours) {
    if (!isRecord(ours) || typeof ours['queueingBudgetMilliseconds'] !== 'number') return ours;
    const milliseconds = ours['queueingBudgetMilliseconds'];
    const seconds = normalDuration(durationOf(milliseconds));
    return { spec: budgetMessage.toFlyte({ queueingBudget: seconds }) };
  },
};

function millisecondsOf(spec: unknown): number | null {
  const budget = isRecord(spec) && Object.keys(spec).length === 1 ? Object.values(spec)[0] : undefined;
  const text = typeof budget === 'string' && /^-?\d+(\.\d+)?s$/.test(budget) ? budget : null;
  const [, sign = '', rest = ''] = (text && /^(-?)(.*)s$/.exec(text)) || [];
  const nanoseconds = text === null ? null : durationNanoseconds(`${sign}PT${rest}S`);
  return nanoseconds === null || nanoseconds % 1_000_000n !== 0n ? null : Number(nanoseconds / 1_000_000n);
}

function durationOf(milliseconds: number): string {
  const sign = Math.sign(milliseconds) === -1 ? '-' : '';
  const length = Math.abs(milliseconds);
  return `${sign}PT${Math.floor(length / 1000)}.${String(length % 1000).padStart(3, '0')}S`;
}

const BEHAVIOR_PREFIX = 'CONCURRENCY_LIMIT_BEHAVIOR_';

/** Flyte's names repeat the name of the enum. */
const behavior: Form = {
  toOurs: (flyte) =>
    typeof flyte === 'string' && flyte.startsWith(BEHAVIOR_PREFIX)
      ? flyte.slice(BEHAVIOR_PREFIX.length)
      : flyte,
  toFlyte: (ours) => `${BEHAVIOR_PREFIX}${ours}`,
};

const executionEnvAssignment = message({
  nodeIds: always([]),
  taskType: always(''),
  executionEnv: given(
    message({
      name: always(''),
      type: always(''),
      version: unless(''),
      extant: given(same),
      spec: given(same),
    }),
  ),
});

/** What a launch plan sets for its executions, beside their inputs. */
export const settings = {
  labels: unless({}, stringMap),
  annotations: unless({}, stringMap),
  envs: unless({}, wrapped('values', [], variables)),
  securityContext: unless({}, securityContext),
  qualityOfService: given(qualityOfService),
  rawOutputDataConfig: unless({ outputLocationPrefix: '' }, message({ outputLocationPrefix: always('') })),
  maxParallelism: unless(0),
  interruptible: given(same),
  overwriteCache: unless(false),
  executionEnvAssignments: unless([], listOf(executionEnvAssignment)),
  clusterAssignment: unless({ clusterPoolName: '' }, message({ clusterPoolName: always('') })),
  concurrencyPolicy: unless(
    { max: 0, behavior: 'UNSPECIFIED' },
    message({ max: always(0), behavior: always('UNSPECIFIED', behavior) }),
  ),
};
