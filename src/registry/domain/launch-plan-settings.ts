import { checkAttributes, checkExecutionConfig } from '../../attributes/domain/payload-checks.ts';
import {
  type ClusterAssignment,
  type ExecutionEnvAssignment,
  type QualityOfService,
  qualityOfServiceTiers,
  type RunAs,
  type WorkflowExecutionConfig,
} from '../../attributes/domain/payloads.ts';
import { Place as FlytePlace, type Leftover } from '../../flyte/form.ts';
import { qualityOfService } from '../../flyte/launch-plan-forms.ts';
import { entryOf, isRecord } from '../../values/json.ts';
import { Place } from '../../values/problem-list.ts';
import {
  boolean,
  choice,
  defaulting,
  fields,
  integer,
  jsonObject,
  list,
  mapOf,
  optional,
  type Reader,
  required,
  text,
} from '../../values/readers.ts';
import { securityContext } from './security-context.ts';

/** What a launch plan sets for its executions, beside their inputs. Fields that are not set are left out. */
export interface LaunchPlanSettings extends WorkflowExecutionConfig {
  readonly qualityOfService?: QualityOfService;
  readonly clusterAssignment?: ClusterAssignment;
  readonly concurrencyPolicy?: ConcurrencyPolicy;
}

export const concurrencyBehaviors = ['UNSPECIFIED', 'SKIP', 'QUEUE', 'REPLACE'] as const;

/**
 * How many executions of a launch plan may run at the same time. Source: Flyte's ConcurrencyPolicy, which does not have
 * QUEUE and REPLACE.
 */
export interface ConcurrencyPolicy {
  /** 0 means no limit. */
  readonly max: number;
  readonly behavior: (typeof concurrencyBehaviors)[number];
}

const MAX_INT = 2 ** 31 - 1;

const executionEnvAssignment = fields<ExecutionEnvAssignment>({
  nodeIds: required(list(text)),
  taskType: required(text),
  executionEnv: required(
    fields<ExecutionEnvAssignment['executionEnv']>({
      name: required(text),
      type: required(text),
      version: optional(text),
      extant: optional(jsonObject),
      spec: optional(jsonObject),
    }),
  ),
});

// Lengths and counts are checked by `checkLaunchPlanSettings`, for both forms.
const texts = mapOf(text, text);

const quality = fields<QualityOfService>({
  tier: optional(choice(...qualityOfServiceTiers)),
  queueingBudgetMilliseconds: optional(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
});

const readers = {
  maxParallelism: optional(integer(0, MAX_INT)),
  securityContext: optional(securityContext),
  rawOutputDataConfig: optional(fields({ outputLocationPrefix: required(text) })),
  labels: optional(texts),
  annotations: optional(texts),
  interruptible: optional(boolean),
  overwriteCache: optional(boolean),
  envs: optional(texts),
  executionEnvAssignments: optional(list(executionEnvAssignment)),
  qualityOfService: optional(quality),
  clusterAssignment: optional(fields({ clusterPoolName: required(text) })),
  concurrencyPolicy: optional(
    fields<ConcurrencyPolicy>({
      max: defaulting(integer(0, MAX_INT), 0),
      behavior: defaulting(choice(...concurrencyBehaviors), 'UNSPECIFIED'),
    }),
  ),
};

/** Settings that come from Flyte's form, whose kinds nothing has checked yet. */
export const launchPlanSettings: Reader<LaunchPlanSettings> = fields<LaunchPlanSettings>(readers);

/** Reports all problems of the settings, with their limits, as attributes have them. */
export function checkLaunchPlanSettings(settings: LaunchPlanSettings, place: Place): void {
  checkExecutionConfig(settings, place);
  const { qualityOfService, clusterAssignment, concurrencyPolicy } = settings;
  if (qualityOfService)
    checkAttributes({ resourceType: 'QUALITY_OF_SERVICE_SPECIFICATION', payload: qualityOfService }, place);
  if (clusterAssignment)
    checkAttributes({ resourceType: 'CLUSTER_ASSIGNMENT', payload: clusterAssignment }, place);
  if (concurrencyPolicy && concurrencyPolicy.max < 0)
    place.at('concurrencyPolicy', 'max').report('InvalidValue', 'must not be negative');
}

/**
 * The settings as they are stored. What means the same as nothing is left out, so that equal launch plans have equal
 * digests: a limit of 0, a cache that is not overwritten, and a policy that limits nothing.
 */
export function storedSettings(settings: LaunchPlanSettings): LaunchPlanSettings {
  const { maxParallelism = 0, overwriteCache = false, concurrencyPolicy, ...others } = settings;
  const policySays =
    concurrencyPolicy && (concurrencyPolicy.max > 0 || concurrencyPolicy.behavior !== 'UNSPECIFIED');
  return {
    ...others,
    ...(maxParallelism > 0 && { maxParallelism }),
    ...(overwriteCache && { overwriteCache }),
    ...(policySays && { concurrencyPolicy }),
  };
}

/** The settings in the stored document of a launch plan. */
export function settingsIn(document: object): LaunchPlanSettings {
  const entries = Object.keys(readers).flatMap((field) => {
    const value = entryOf(document as Readonly<Record<string, unknown>>, field);
    return value === undefined ? [] : [[field, value] as const];
  });
  return Object.fromEntries(entries) as LaunchPlanSettings;
}

/**
 * The identity in the old fields of a launch plan, which our form does not have: the first of `authRole`, `auth` and
 * `role` that names one.
 */
export function oldIdentity(leftovers: readonly Leftover[]): RunAs | null {
  const leftoverOf = (field: string) =>
    leftovers.find(({ path }) => path.length === 1 && path[0] === field)?.value;
  const identities = [
    rolesOf(leftoverOf('authRole')),
    rolesOf(leftoverOf('auth')),
    namesOf({ iamRole: leftoverOf('role') }),
  ];
  return identities.find((one) => Object.keys(one).length > 0) ?? null;
}

const rolesOf = (value: unknown): RunAs =>
  isRecord(value)
    ? namesOf({
        iamRole: entryOf(value, 'assumableIamRole'),
        k8sServiceAccount: entryOf(value, 'kubernetesServiceAccount'),
      })
    : {};

const namesOf = (names: Readonly<Record<string, unknown>>): RunAs =>
  Object.fromEntries(Object.entries(names).filter(([, name]) => typeof name === 'string' && name !== ''));

/** The quality of service in the metadata of a workflow, which has Flyte's form; null if it says nothing. */
export function workflowQuality(metadata: unknown): QualityOfService | null {
  const ours = qualityOfService.toOurs(metadata, new FlytePlace());
  return isRecord(ours) ? (quality(ours, new Place([])) ?? null) : null;
}
