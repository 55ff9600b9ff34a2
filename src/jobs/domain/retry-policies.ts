import type { ErrorKind } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { parseQuantity } from '../../values/quantities.ts';
import { isDnsLabel } from './dns-label.ts';

/**
 * Retry policies say which failures of plain jobs are worth another try. The category of a failure is the `kind` of its
 * error, and the subcategory is the `code`: a job whose program was killed for its memory has the category USER and, for
 * example, the subcategory OutOfMemory. Source: Armada's retry policies.
 */
export interface RetryPolicy {
  readonly retryLimit: number;
  readonly defaultAction: RetryAction;
  /** The first rule that matches decides. */
  readonly rules: readonly RetryRule[];
}

export type RetryAction = 'FAIL' | 'RETRY';

export interface RetryRule {
  readonly action: RetryAction;
  readonly onCategory: ErrorKind;
  /** Null matches every subcategory. */
  readonly onSubcategory: string | null;
  /** What is different in the next try; null for nothing. */
  readonly mutate: Mutation | null;
}

export interface Mutation {
  readonly avoidSameNode: boolean;
  /** Null leaves the memory as it is. */
  readonly memory: MemoryChange | null;
}

/** A fixed amount as a Kubernetes quantity, or a factor larger than 1. */
export type MemoryChange = { readonly static: string } | { readonly factor: number };

/** What decides about the failure of a job, apart from the policy. */
export interface Failure {
  /** Null if the executor did not say why. */
  readonly error: Pick<WorkError, 'code' | 'kind'> | null;
  /** How many runs of the job have failed or lost their lease after they had begun, with this one. */
  readonly failures: number;
  /** Whether other rules decide about the job: it belongs to a gang or to an execution, or it must fail fast. */
  readonly isExcluded: boolean;
}

/** The verdict: whether the job runs again, and why it does or does not. */
export interface Verdict {
  readonly retries: boolean;
  readonly because:
    | 'EXCLUDED'
    | 'NO_ERROR'
    | 'SWITCHED_OFF'
    | 'CAP_REACHED'
    | 'LIMIT_REACHED'
    | 'RULE'
    | 'DEFAULT_ACTION';
  readonly mutate: Mutation | null;
}

/**
 * Judges a failure. The retries that a job has used are its failures without the first one.
 *
 * @param cap  no job is tried again more often than this, whatever its policy says; 0 switches retry policies off.
 */
export function judgeFailure(policy: RetryPolicy, failure: Failure, cap: number): Verdict {
  const fails = (because: Verdict['because']): Verdict => ({ retries: false, because, mutate: null });
  const { error, failures, isExcluded } = failure;
  const used = failures - 1;
  if (isExcluded) return fails('EXCLUDED');
  if (!error) return fails('NO_ERROR');
  if (cap === 0) return fails('SWITCHED_OFF');
  if (used >= cap) return fails('CAP_REACHED');
  const rule = policy.rules.find((one) => matches(one, error));
  const because = rule ? 'RULE' : 'DEFAULT_ACTION';
  if ((rule?.action ?? policy.defaultAction) === 'FAIL') return fails(because);
  if (used >= policy.retryLimit) return fails('LIMIT_REACHED');
  return { retries: true, because, mutate: rule?.mutate ?? null };
}

const matches = (
  { onCategory, onSubcategory }: RetryRule,
  { kind, code }: Pick<WorkError, 'code' | 'kind'>,
) => onCategory === kind && (onSubcategory === null || onSubcategory === code);

const MAX_RULES = 100;
const MAX_SUBCATEGORY = 255;
export const MAX_RETRY_LIMIT = 1000;
const MAX_FACTOR = 100;

/** A policy, as a caller describes it. Neither, or both, of the changes of the memory may be given by mistake. */
export interface RetryPolicyRequest {
  readonly name: string;
  readonly retryLimit: number;
  readonly defaultAction: RetryAction;
  readonly rules: readonly RetryRuleRequest[];
}

export interface RetryRuleRequest extends Omit<RetryRule, 'mutate'> {
  readonly mutate: {
    readonly avoidSameNode: boolean;
    readonly memory: { readonly static: string | null; readonly factor: number | null } | null;
  } | null;
}

export function policyNameProblems(name: string, path: readonly string[]): Problem[] {
  if (isDnsLabel(name)) return [];
  const message = 'the name of a retry policy must be a DNS-1123 label';
  return [{ path: [...path, 'name'], code: 'InvalidValue', message }];
}

/** What is wrong with a policy. */
export function policyProblems(policy: RetryPolicyRequest, path: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string) =>
    problems.push({ path: [...path, ...at], code: 'InvalidValue', message });
  const { name, retryLimit, rules } = policy;
  problems.push(...policyNameProblems(name, path));
  if (!(retryLimit >= 0 && retryLimit <= MAX_RETRY_LIMIT))
    fault(['retryLimit'], `must be between 0 and ${MAX_RETRY_LIMIT}`);
  if (rules.length > MAX_RULES) fault(['rules'], `must have at most ${MAX_RULES} rules`);
  for (const [index, { onSubcategory, mutate }] of rules.slice(0, MAX_RULES).entries()) {
    const at = ['rules', String(index)];
    if (onSubcategory !== null && (onSubcategory === '' || onSubcategory.length > MAX_SUBCATEGORY))
      fault([...at, 'onSubcategory'], `must have 1 to ${MAX_SUBCATEGORY} characters, or be left out`);
    const memory = mutate?.memory;
    if (!memory) continue;
    const here = [...at, 'mutate', 'resources', 'memory'];
    if ((memory.static === null) === (memory.factor === null)) fault(here, 'give either static or factor');
    if (memory.static !== null && !isAmount(memory.static))
      fault([...here, 'static'], 'must be an amount of memory larger than 0, such as 8Gi');
    if (memory.factor !== null && !(memory.factor > 1 && memory.factor <= MAX_FACTOR))
      fault([...here, 'factor'], `must be larger than 1, and at most ${MAX_FACTOR}`);
  }
  return problems;
}

/** Larger amounts cannot be counted exactly. */
const MAX_BYTES = BigInt(Number.MAX_SAFE_INTEGER);

function isAmount(text: string): boolean {
  const quantity = parseQuantity(text);
  if (!quantity || quantity.numerator <= 0n) return false;
  return quantity.numerator <= MAX_BYTES * quantity.denominator;
}

/** The rules of a valid policy, in the form in which they are stored. */
export const storedRules = (rules: readonly RetryRuleRequest[]): RetryRule[] =>
  rules.map(({ action, onCategory, onSubcategory, mutate }) => ({
    action,
    onCategory,
    onSubcategory,
    mutate: mutate && { avoidSameNode: mutate.avoidSameNode, memory: changeOf(mutate.memory) },
  }));

function changeOf(memory: { static: string | null; factor: number | null } | null): MemoryChange | null {
  if (memory?.static != null) return { static: memory.static };
  if (memory?.factor != null) return { factor: memory.factor };
  return null;
}
