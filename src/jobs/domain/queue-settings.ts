import type { Problem } from '../../platform/errors.ts';
import { labelProblems } from '../../platform/labels.ts';
import { isDnsLabel } from './dns-label.ts';
import { MAX_REASON } from './job-changes.ts';
import { classNamed, type PriorityClass } from './priority-classes.ts';
import type { QueueRights } from './queue-verbs.ts';

/** Amounts as fractions of a pool, by resource: 0 … 1. */
export interface ResourceFraction {
  readonly resource: string;
  readonly fraction: number;
}

/** How much of a pool the jobs of one priority class may hold in a queue. */
export interface ClassLimitRequest {
  readonly priorityClass: string;
  readonly maximumResourceFraction: readonly ResourceFraction[];
  /** What is set for a pool counts before what is set for all pools. */
  readonly maximumResourceFractionByPool: readonly {
    readonly pool: string;
    readonly fractions: readonly ResourceFraction[];
  }[];
}

/** The whole of a queue, as a caller describes it. Source: Armada's queue. */
export interface QueueRequest extends QueueRights {
  readonly name: string;
  /** A larger factor means a smaller share. */
  readonly priorityFactor: number;
  /** Whether its jobs wait and are not started. */
  readonly cordoned: boolean;
  readonly cordonReason: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: readonly ClassLimitRequest[];
  /** Names of retry policies. Only the first one is used. */
  readonly retryPolicies: readonly string[];
}

const MAX_NAME = 255;
const MAX_POLICIES = 8;
const MAX_POOLS = 100;
const MAX_RESOURCES = 32;
const resourceForm = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$/;

/** What is wrong with a queue, except for its name and for what it refers to. */
export function queueProblems(
  queue: QueueRequest,
  priorityClasses: readonly PriorityClass[],
  path: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string, code = 'InvalidValue') =>
    problems.push({ path: [...path, ...at], code, message });
  if (!(queue.priorityFactor >= 1 && Number.isFinite(queue.priorityFactor)))
    fault(['priorityFactor'], 'the priority factor must be at least 1');
  if (queue.cordonReason !== null && !queue.cordoned)
    fault(['cordonReason'], 'only a cordoned queue can have a reason');
  if ((queue.cordonReason?.length ?? 0) > MAX_REASON)
    fault(['cordonReason'], `the reason must have at most ${MAX_REASON} characters`);
  if (queue.retryPolicies.length > MAX_POLICIES)
    fault(['retryPolicies'], `a queue can have at most ${MAX_POLICIES} retry policies`);
  for (const [at, name] of queue.retryPolicies.slice(0, MAX_POLICIES).entries())
    if (queue.retryPolicies.indexOf(name) < at)
      fault(['retryPolicies', String(at)], 'this policy is named twice', 'DuplicateId');
  return [
    ...problems,
    ...labelProblems(queue.labels, [...path, 'labels']),
    ...limitProblems(queue.limits, priorityClasses, [...path, 'resourceLimitsByPriorityClass']),
  ];
}

/** What is wrong with the name of a new queue. */
export function nameProblems(name: string, path: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const fault = (message: string) =>
    problems.push({ path: [...path, 'name'], code: 'InvalidValue', message });
  if (name.trim() === '') fault('the name must not be empty');
  if (name.includes('/')) fault('the name must not contain a slash, which only queues of projects have');
  if (name.length > MAX_NAME) fault(`must have at most ${MAX_NAME} characters`);
  return problems;
}

function limitProblems(
  limits: readonly ClassLimitRequest[],
  priorityClasses: readonly PriorityClass[],
  path: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string, code = 'InvalidValue') =>
    problems.push({ path: [...path, ...at], code, message });
  // Each class may occur once, so there cannot be more limits than classes.
  if (limits.length > priorityClasses.length)
    fault([], `there are only ${priorityClasses.length} priority classes`);
  const classes = new Set<string>();
  for (const [index, limit] of limits.slice(0, priorityClasses.length).entries()) {
    const at = [String(index)];
    const { priorityClass, maximumResourceFraction, maximumResourceFractionByPool: byPool } = limit;
    const names = priorityClasses.map(({ name }) => name).join(', ');
    if (!classNamed(priorityClasses, priorityClass))
      fault([...at, 'priorityClass'], `there is no such class; the classes are ${names}`);
    if (classes.has(priorityClass))
      fault([...at, 'priorityClass'], 'this class is named twice', 'DuplicateId');
    classes.add(priorityClass);
    problems.push(...fractionProblems(maximumResourceFraction, [...path, ...at, 'maximumResourceFraction']));
    const within = [...at, 'maximumResourceFractionByPool'];
    if (byPool.length > MAX_POOLS) fault(within, `must have at most ${MAX_POOLS} pools`);
    const pools = new Set<string>();
    for (const [position, { pool, fractions }] of byPool.slice(0, MAX_POOLS).entries()) {
      const here = [...within, String(position)];
      if (!isDnsLabel(pool)) fault([...here, 'pool'], 'the name of a pool must be a DNS-1123 label');
      if (pools.has(pool)) fault([...here, 'pool'], 'this pool is named twice', 'DuplicateId');
      pools.add(pool);
      problems.push(...fractionProblems(fractions, [...path, ...here, 'fractions']));
    }
  }
  return problems;
}

function fractionProblems(fractions: readonly ResourceFraction[], path: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string, code = 'InvalidValue') =>
    problems.push({ path: [...path, ...at], code, message });
  if (fractions.length > MAX_RESOURCES) fault([], `must have at most ${MAX_RESOURCES} resources`);
  const resources = new Set<string>();
  for (const [index, { resource, fraction }] of fractions.slice(0, MAX_RESOURCES).entries()) {
    if (!resourceForm.test(resource))
      fault([String(index), 'resource'], 'must be the name of a resource, such as cpu or nvidia.com/gpu');
    if (resources.has(resource))
      fault([String(index), 'resource'], 'this resource is named twice', 'DuplicateId');
    resources.add(resource);
    if (!(fraction >= 0 && fraction <= 1))
      fault([String(index), 'fraction'], 'a fraction must be between 0 and 1');
  }
  return problems;
}

/** Fractions by resource. */
type Fractions = Readonly<Record<string, number>>;

/** The limit of one class, as it is stored. */
export interface StoredClassLimit {
  readonly maximumResourceFraction?: Fractions;
  readonly maximumResourceFractionByPool?: Readonly<Record<string, Fractions>>;
}

export type StoredLimits = Readonly<Record<string, StoredClassLimit>>;

/** The limits in the form in which they are stored: by class, pool and resource. */
export function storedLimits(limits: readonly ClassLimitRequest[]): StoredLimits {
  return Object.fromEntries(
    limits.map(({ priorityClass, maximumResourceFraction, maximumResourceFractionByPool }) => [
      priorityClass,
      {
        maximumResourceFraction: fractionsOf(maximumResourceFraction),
        maximumResourceFractionByPool: Object.fromEntries(
          maximumResourceFractionByPool.map(({ pool, fractions }) => [pool, fractionsOf(fractions)]),
        ),
      },
    ]),
  );
}

const fractionsOf = (entries: readonly ResourceFraction[]): Fractions =>
  Object.fromEntries(entries.map(({ resource, fraction }) => [resource, fraction]));

/** The stored limits in the form in which a caller describes them. */
export const limitsIn = (stored: StoredLimits): ClassLimitRequest[] =>
  Object.entries(stored).map(([priorityClass, limit]) => ({
    priorityClass,
    maximumResourceFraction: entriesIn(limit.maximumResourceFraction),
    maximumResourceFractionByPool: Object.entries(limit.maximumResourceFractionByPool ?? {}).map(
      ([pool, fractions]) => ({ pool, fractions: entriesIn(fractions) }),
    ),
  }));

const entriesIn = (fractions: Fractions = {}): ResourceFraction[] =>
  Object.entries(fractions).map(([resource, fraction]) => ({ resource, fraction }));
