/** The settings of a launch plan, as they are read from Flyte's form and stored. */
import { describe, expect, it } from 'vitest';
import {
  checkLaunchPlanSettings,
  type LaunchPlanSettings,
  launchPlanSettings,
  oldIdentity,
  settingsIn,
  storedSettings,
  workflowQuality,
} from '../../src/registry/domain/launch-plan-settings.ts';
import { outcomeOf } from '../../src/values/problem-list.ts';
import { faultsOf, readBy, valueIn } from './outcomes.ts';

describe('the settings of a launch plan', () => {
  const largest = 2_147_483_647;

  it('are numbers of up to 31 bits', () => {
    const settings = { maxParallelism: largest, concurrencyPolicy: { max: largest, behavior: 'QUEUE' } };
    expect(valueIn(readBy(launchPlanSettings, settings))).toEqual(settings);
    const tooLarge = { maxParallelism: largest + 1, concurrencyPolicy: { max: largest + 1 } };
    expect(faultsOf(readBy(launchPlanSettings, tooLarge))).toEqual([
      'InvalidValue maxParallelism',
      'InvalidValue concurrencyPolicy.max',
    ]);
  });

  it('have a policy without a limit if it says nothing', () => {
    expect(valueIn(readBy(launchPlanSettings, { concurrencyPolicy: {} }))).toEqual({
      concurrencyPolicy: { max: 0, behavior: 'UNSPECIFIED' },
    });
  });

  it.each<[string, LaunchPlanSettings, string[]]>([
    ['no limit', { concurrencyPolicy: { max: 0, behavior: 'SKIP' } }, []],
    ['a negative limit', { concurrencyPolicy: { max: -1, behavior: 'SKIP' } }, ['concurrencyPolicy.max']],
    ['a pool', { clusterAssignment: { clusterPoolName: 'gpu' } }, []],
    [
      'a pool without a name',
      { clusterAssignment: { clusterPoolName: '' } },
      ['clusterAssignment.clusterPoolName'],
    ],
    ['a tier', { qualityOfService: { tier: 'HIGH' } }, []],
    [
      'a negative budget',
      { qualityOfService: { queueingBudgetMilliseconds: -1 } },
      ['qualityOfService.queueingBudget'],
    ],
    ['a negative parallelism', { maxParallelism: -1 }, ['maxParallelism']],
  ])('are checked: %s', (_what, settings, wrong) => {
    const outcome = outcomeOf([], (place) => {
      checkLaunchPlanSettings(settings, place);
      return settings;
    });
    expect(outcome.ok ? [] : outcome.problems.map(({ path }) => path.join('.'))).toEqual(wrong);
  });

  it.each<[string, LaunchPlanSettings, boolean]>([
    ['one execution at the same time', { maxParallelism: 1 }, true],
    ['no limit of parallelism', { maxParallelism: 0 }, false],
    ['a cache that is overwritten', { overwriteCache: true }, true],
    ['a cache that is kept', { overwriteCache: false }, false],
    ['a policy with a limit', { concurrencyPolicy: { max: 1, behavior: 'UNSPECIFIED' } }, true],
    ['a policy with a behavior', { concurrencyPolicy: { max: 0, behavior: 'SKIP' } }, true],
    ['a policy with neither', { concurrencyPolicy: { max: 0, behavior: 'UNSPECIFIED' } }, false],
    ['interruptions, or that there are none', { interruptible: false }, true],
  ])('are stored only if they say something: %s', (_what, settings, isStored) => {
    expect(storedSettings(settings)).toStrictEqual(isStored ? settings : {});
  });

  it('are found in the document of the launch plan', () => {
    const document = { workflowId: 'w', maxParallelism: 3, interruptible: false };
    expect(settingsIn(document)).toStrictEqual({ maxParallelism: 3, interruptible: false });
  });
});

describe('the identity in old fields', () => {
  it('is not in parts of other fields, and needs a text', () => {
    expect(oldIdentity([{ path: ['role', 'name'], value: 'r' }])).toBeNull();
    expect(oldIdentity([{ path: ['name'], value: 'r' }])).toBeNull();
    expect(oldIdentity([{ path: ['role'], value: 7 }])).toBeNull();
    expect(oldIdentity([{ path: ['role'], value: '' }])).toBeNull();
    expect(oldIdentity([{ path: ['role'], value: 'r' }])).toEqual({ iamRole: 'r' });
  });
});

describe('the quality of service of a workflow', () => {
  it('is in its metadata, or null', () => {
    expect(workflowQuality({ tier: 'HIGH' })).toEqual({ tier: 'HIGH' });
    expect(workflowQuality(undefined)).toBeNull();
    expect(workflowQuality({ tier: 'NONE' })).toBeNull();
  });
});
