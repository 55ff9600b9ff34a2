import type {
  ExecutionClusterLabel,
  QualityOfService,
  RunAs,
  SecurityContext,
  WorkflowExecutionConfig,
} from '../../attributes/domain/payloads.ts';
import { executionConfigsFor, payloadFor, type ScopedAttributes } from '../../attributes/domain/resolve.ts';
import type { Scope } from '../../attributes/domain/scopes.ts';
import type { LaunchPlanSettings } from '../../registry/domain/launch-plan-settings.ts';
import type { Place } from '../../values/problem-list.ts';

/** What a request, a launch plan or a record can set for an execution. Fields that are not set are left out. */
export interface ExecutionSettings extends Omit<LaunchPlanSettings, 'concurrencyPolicy'> {
  readonly executionClusterLabel?: ExecutionClusterLabel;
  readonly tags?: readonly string[];
  /** How long the execution may take, from its creation. Only a request sets it. */
  readonly timeoutMilliseconds?: number;
}

/** What is stored in the column `spec`: all settings after they were resolved, except those with a column. */
export interface ExecutionSpec
  extends Omit<ExecutionSettings, 'maxParallelism' | 'interruptible' | 'overwriteCache'> {
  /**
   * How long the execution may wait, by its quality of service; left out if there is no limit. `qualityOfService` is
   * only what the request asked for, so that a relaunch asks for the same.
   */
  readonly queueingBudgetMilliseconds?: number;
}

export interface ResolvedSettings {
  readonly spec: ExecutionSpec;
  /** Null leaves it to each task. */
  readonly interruptible: boolean | null;
  readonly overwriteCache: boolean;
  /** 0 means no limit. */
  readonly maxParallelism: number;
}

/** What an execution gets if nothing nearer to it says otherwise. */
export interface ServiceSettings {
  readonly maxParallelism: number;
  /** In seconds, by tier. */
  readonly queueingBudgets: ReadonlyMap<string, number>;
  readonly tiersByDomain: ReadonlyMap<string, string>;
  readonly poolsByDomain: ReadonlyMap<string, string>;
  readonly clusterLabel: string | null;
  /** 0 means no limit. */
  readonly labelLimit: number;
  readonly annotationLimit: number;
}

export interface SettingSources {
  readonly request: ExecutionSettings;
  /** Whether the request repeats what another execution has. Then its cluster pool may differ from that of the domain. */
  readonly isInherited?: boolean;
  readonly launchPlan: LaunchPlanSettings;
  /** The identity in the old fields of the launch plan. */
  readonly oldIdentity: RunAs | null;
  /** What the workflow itself says. */
  readonly workflow: QualityOfService | null;
  /** All records whose scope contains the execution. */
  readonly records: readonly ScopedAttributes[];
  /** The project, domain, workflow and launch plan of the execution. */
  readonly scope: Scope & { readonly domain: string };
  readonly projectLabels: Readonly<Record<string, string>>;
  readonly service: ServiceSettings;
}

/**
 * The settings of an execution. Each field comes from the first source that has it: the request, the launch plan, the
 * narrowest record that matches, the record of the project, the service. Maps, lists and security contexts are taken as
 * a whole. Reports labels and annotations above the limit of the service, and a cluster pool that differs from the one
 * of the domain.
 *
 * A limit of 0 is a limit only in a request, where it means that there is none. Everywhere else it counts as not set,
 * as in Flyte. Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/execution_manager.go`, and section 6.4 of what Flyte
 * does. Flyte ignores a security context without an identity; here it counts if no source names an identity.
 */
export function resolveSettings(sources: SettingSources, place: Place): ResolvedSettings {
  const { request, launchPlan, records, scope, service } = sources;
  const { specific, project } = executionConfigsFor(records, scope);
  const chain: readonly WorkflowExecutionConfig[] = [request, launchPlan, specific ?? {}, project ?? {}];
  const firstOf = <Field extends keyof WorkflowExecutionConfig>(
    field: Field,
    counts: (value: NonNullable<WorkflowExecutionConfig[Field]>) => boolean,
  ) => chain.map((source) => source[field]).find((value) => value != null && counts(value));
  const labels = { ...(firstOf('labels', hasEntries) ?? {}) };
  for (const [key, value] of Object.entries(sources.projectLabels))
    if (!Object.hasOwn(labels, key)) labels[key] = value;
  const annotations = firstOf('annotations', hasEntries) ?? {};
  checkCount(labels, service.labelLimit, place.at('labels'));
  checkCount(annotations, service.annotationLimit, place.at('annotations'));
  const budget = queueingBudget(sources);
  const spec: ExecutionSpec = {
    labels,
    annotations,
    envs: firstOf('envs', hasEntries),
    executionEnvAssignments: firstOf('executionEnvAssignments', (list) => list.length > 0),
    tags: request.tags,
    timeoutMilliseconds: request.timeoutMilliseconds,
    securityContext: securityContextOf(chain, sources.oldIdentity),
    rawOutputDataConfig: firstOf('rawOutputDataConfig', (config) => config.outputLocationPrefix !== ''),
    qualityOfService: request.qualityOfService,
    queueingBudgetMilliseconds: budget > 0 ? budget : undefined,
    clusterAssignment: clusterAssignmentOf(sources, place),
    executionClusterLabel: clusterLabelOf(sources),
  } as ExecutionSpec;
  return {
    spec: withoutEmpty(spec),
    interruptible: firstOf('interruptible', () => true) ?? null,
    overwriteCache: chain.some((source) => source.overwriteCache === true),
    maxParallelism:
      request.maxParallelism ?? firstOf('maxParallelism', (limit) => limit > 0) ?? service.maxParallelism,
  };
}

const hasEntries = (map: object) => Object.keys(map).length > 0;

function checkCount(map: object, limit: number, place: Place): void {
  if (limit > 0 && Object.keys(map).length > limit)
    place.report('TooLarge', `an execution has at most ${limit} of them, with those of its project`);
}

const hasIdentity = ({ runAs = {} }: SecurityContext) =>
  [runAs.k8sServiceAccount, runAs.iamRole, runAs.executionIdentity].some(Boolean);

function securityContextOf(
  chain: readonly WorkflowExecutionConfig[],
  oldIdentity: RunAs | null,
): SecurityContext | undefined {
  const contexts = chain.flatMap(({ securityContext }) => securityContext ?? []);
  return contexts.find(hasIdentity) ?? (oldIdentity ? { runAs: oldIdentity } : contexts[0]);
}

/** In milliseconds; 0 if nothing limits how long the execution may wait. */
function queueingBudget({ request, launchPlan, workflow, records, scope, service }: SettingSources): number {
  const record = payloadFor(records, 'QUALITY_OF_SERVICE_SPECIFICATION', scope);
  const quality = request.qualityOfService ?? launchPlan.qualityOfService ?? workflow ?? record;
  if (quality?.queueingBudgetMilliseconds !== undefined) return quality.queueingBudgetMilliseconds;
  const tier = quality?.tier ?? service.tiersByDomain.get(scope.domain);
  return 1000 * (service.queueingBudgets.get(tier ?? '') ?? 0);
}

/** The pool of the domain, or the pool that is asked for if the domain has none. They must not differ. */
function clusterAssignmentOf(
  { request, isInherited = false, launchPlan, records, scope, service }: SettingSources,
  place: Place,
): ExecutionSettings['clusterAssignment'] {
  const stored = payloadFor(records, 'CLUSTER_ASSIGNMENT', scope)?.clusterPoolName;
  const pool = stored ?? service.poolsByDomain.get(scope.domain);
  const asked = request.clusterAssignment ?? launchPlan.clusterAssignment;
  const mayDiffer = isInherited && request.clusterAssignment !== undefined;
  if (asked && !mayDiffer && pool !== undefined && asked.clusterPoolName !== pool)
    place
      .at(request.clusterAssignment ? 'clusterAssignment' : 'launchPlan')
      .report('InvalidValue', `executions of this domain run in the cluster pool ${pool}`);
  return pool === undefined ? asked : { clusterPoolName: pool };
}

function clusterLabelOf({
  request,
  records,
  scope,
  service,
}: SettingSources): ExecutionClusterLabel | undefined {
  const record = payloadFor(records, 'EXECUTION_CLUSTER_LABEL', scope);
  const value = request.executionClusterLabel?.value ?? record?.value ?? service.clusterLabel;
  return value ? { value } : undefined;
}

/** What says nothing is not stored. */
const withoutEmpty = (spec: ExecutionSpec): ExecutionSpec =>
  Object.fromEntries(
    Object.entries(spec).filter(([, value]) => typeof value !== 'object' || hasEntries(value)),
  );
