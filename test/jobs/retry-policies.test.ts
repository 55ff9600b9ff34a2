/** Which failures are worth another try, as a pure function. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withMemory } from '../../src/jobs/domain/memory-growth.ts';
import { placementOf } from '../../src/jobs/domain/placement.ts';
import {
  type Failure,
  judgeFailure,
  type RetryAction,
  type RetryPolicy,
  type RetryRule,
} from '../../src/jobs/domain/retry-policies.ts';
import { newJob } from './stage.ts';

const rule = (more: Partial<RetryRule> = {}): RetryRule => ({
  action: 'RETRY',
  onCategory: 'SYSTEM',
  onSubcategory: null,
  mutate: null,
  ...more,
});
const policy = (more: Partial<RetryPolicy> = {}): RetryPolicy => ({
  retryLimit: 3,
  defaultAction: 'FAIL',
  rules: [rule()],
  ...more,
});
const failure = (more: Partial<Failure> = {}): Failure => ({
  error: { kind: 'SYSTEM', code: 'NodeLost' },
  failures: 1,
  isExcluded: false,
  ...more,
});
const CAP = 5;
const always = policy({ defaultAction: 'RETRY', retryLimit: 1000, rules: [] });

describe('judgeFailure', () => {
  it.each<
    [what: string, policy: RetryPolicy, failure: Failure, cap: number, because: string, retries: boolean]
  >([
    ['a rule that matches', policy(), failure(), CAP, 'RULE', true],
    ['no error', always, failure({ error: null }), CAP, 'NO_ERROR', false],
    ['a cap of 0', always, failure(), 0, 'SWITCHED_OFF', false],
    ['the last retry under the cap', always, failure({ failures: 5 }), CAP, 'DEFAULT_ACTION', true],
    ['as many retries as the cap', always, failure({ failures: 6 }), CAP, 'CAP_REACHED', false],
    ['the third retry of three', policy(), failure({ failures: 3 }), CAP, 'RULE', true],
    ['a fourth retry of three', policy(), failure({ failures: 4 }), CAP, 'LIMIT_REACHED', false],
    ['a limit of 0', policy({ retryLimit: 0 }), failure(), CAP, 'LIMIT_REACHED', false],
    ['no rule, and the default FAIL', policy({ rules: [] }), failure(), CAP, 'DEFAULT_ACTION', false],
    ['no rule, and the default RETRY', always, failure(), CAP, 'DEFAULT_ACTION', true],
    [
      'another category',
      policy(),
      failure({ error: { kind: 'USER', code: 'NodeLost' } }),
      CAP,
      'DEFAULT_ACTION',
      false,
    ],
    [
      'the subcategory',
      policy({ rules: [rule({ onSubcategory: 'NodeLost' })] }),
      failure(),
      CAP,
      'RULE',
      true,
    ],
    [
      'another subcategory',
      policy({ rules: [rule({ onSubcategory: 'Nodelost' })] }),
      failure(),
      CAP,
      'DEFAULT_ACTION',
      false,
    ],
    [
      'two rules, of which the first says FAIL',
      policy({ rules: [rule({ action: 'FAIL' }), rule()], defaultAction: 'RETRY' }),
      failure(),
      CAP,
      'RULE',
      false,
    ],
    [
      'two rules, of which only the second matches',
      policy({ rules: [rule({ action: 'FAIL', onSubcategory: 'Else' }), rule()] }),
      failure(),
      CAP,
      'RULE',
      true,
    ],
    ['a job of a gang or an execution', always, failure({ isExcluded: true }), CAP, 'EXCLUDED', false],
  ])('for %s', (_what, given, failed, cap, because, retries) => {
    expect(judgeFailure(given, failed, cap)).toMatchObject({ because, retries });
  });

  it('takes the change of the first rule that matches, and none from the default action', () => {
    const mutate = { avoidSameNode: true, memory: { factor: 2 } };
    const other = { avoidSameNode: false, memory: null };
    const rules = [rule({ mutate }), rule({ mutate: other })];
    expect(judgeFailure(policy({ rules }), failure(), CAP).mutate).toEqual(mutate);
    expect(
      judgeFailure({ ...always, rules: [rule({ onCategory: 'USER', mutate })] }, failure(), CAP),
    ).toEqual({
      retries: true,
      because: 'DEFAULT_ACTION',
      mutate: null,
    });
  });

  it('tries a job at most as often again as the limit and the cap allow, whatever the rules are', () => {
    const kinds = fc.constantFrom('USER' as const, 'SYSTEM' as const, 'UNKNOWN' as const);
    const actions = fc.constantFrom<RetryAction>('FAIL', 'RETRY');
    const rules = fc.array(fc.record({ action: actions, onCategory: kinds }), { maxLength: 4 });
    fc.assert(
      fc.property(
        ...([rules, actions, fc.nat(8), fc.nat(8), kinds] as const),
        (made, defaultAction, retryLimit, cap, kind) => {
          const given = policy({ retryLimit, defaultAction, rules: made.map((one) => rule(one)) });
          let failures = 1;
          const error = { kind, code: 'x' };
          while (judgeFailure(given, failure({ error, failures }), cap).retries) failures += 1;
          const isWanted = (made.find((one) => one.onCategory === kind)?.action ?? defaultAction) === 'RETRY';
          expect(failures - 1).toBe(isWanted ? Math.min(retryLimit, cap) : 0);
        },
      ),
    );
  });
});

const priorityClass = { name: 'plain', priority: 1, isPreemptible: false };
/** A job with these amounts of memory. */
function jobWith(request: string | null, limit: string | null = request) {
  const entry = (value: string | null) => (value === null ? [] : [{ name: 'MEMORY', value }]);
  const { spec } = newJob();
  const resources = { requests: [{ name: 'CPU', value: '2' }, ...entry(request)], limits: entry(limit) };
  const changed = { ...spec, container: { ...spec.container, resources } };
  return { spec: changed, ...placementOf(changed, priorityClass, { zone: 'a' }, []) };
}
const amounts = (job: ReturnType<typeof withMemory>) => {
  const { requests = [], limits = [] } = job?.spec.container.resources ?? {};
  const of = (entries: readonly { name: string; value: string }[]) =>
    entries.find(({ name }) => name === 'MEMORY')?.value ?? null;
  return [of(requests), of(limits), job?.resources['memory'] ?? null];
};

describe('withMemory', () => {
  it.each<
    [what: string, job: ReturnType<typeof jobWith>, change: Parameters<typeof withMemory>[1], after: unknown]
  >([
    ['doubles request and limit', jobWith('1Ki'), { factor: 2 }, ['2048', '2048', 2048]],
    ['rounds up', jobWith('3'), { factor: 1.5 }, ['5', '5', 5]],
    ['grows by one byte at least', jobWith('1'), { factor: 1.0001 }, ['2', '2', 2]],
    ['grows a larger limit by the same factor', jobWith('10', '30'), { factor: 2 }, ['20', '60', 20]],
    [
      'sets a fixed amount, also a smaller one',
      jobWith('1Gi'),
      { static: '1Mi' },
      ['1048576', '1073741824', 1_048_576],
    ],
    ['raises the limit to a fixed amount', jobWith('1'), { static: '4' }, ['4', '4', 4]],
    ['adds a fixed request', jobWith(null), { static: '4' }, ['4', null, 4]],
    [
      'stays at the largest amount',
      jobWith('9007199254740991'),
      { factor: 2 },
      Array(2).fill('9007199254740991').concat([9007199254740991]),
    ],
  ])('%s', (_what, job, change, after) => {
    expect(amounts(withMemory(job, change))).toEqual(after);
  });

  it('has nothing to multiply without a request', () => {
    expect(withMemory(jobWith(null), { factor: 2 })).toBeNull();
  });

  it('leaves everything else as it is, and gives the shape of a job that was submitted so', () => {
    const job = jobWith('1Ki');
    const after = withMemory(job, { factor: 2 });
    expect(after?.spec).toEqual(jobWith('2048').spec);
    expect(after?.shape).toBe(jobWith('2Ki').shape);
    expect(after?.shape).not.toBe(job.shape);
    expect(after?.resources).toEqual({ cpu: 2000, memory: 2048 });
  });
});
