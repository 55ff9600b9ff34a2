import { describe, expect, it } from 'vitest';
import { mismatch, type Taint, type Toleration } from '../../../src/jobs/domain/scheduling/matching.ts';
import { amountOf, amountText, fits } from '../../../src/jobs/domain/scheduling/resources.ts';

describe('an amount', () => {
  it.each([
    ['cpu', '1', 1000],
    ['CPU', '500m', 500],
    ['cpu', '1u', 1],
    ['memory', '1Gi', 2 ** 30],
    ['memory', '100m', 1],
    ['nvidia.com/gpu', '2', 2],
    ['memory', '9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('of %s written as %s is the integer %d, rounded up', (name, text, amount) => {
    expect(amountOf(name, text)).toBe(amount);
  });

  it.each([
    ['cpu', '-1'],
    ['memory', 'much'],
    ['memory', '9007199254740992'],
  ])('of %s written as %s is none', (name, text) => {
    expect(amountOf(name, text)).toBeNull();
  });
});

describe('a request', () => {
  it.each([
    ['the same', { cpu: 1 }, { cpu: 1 }, true],
    ['less', { cpu: 1 }, { cpu: 0.5 }, false],
    ['nothing of it', { gpu: 1 }, { cpu: 1 }, false],
    ['nothing, where it asks for nothing', { gpu: 0 }, { cpu: -1 }, true],
  ])('where there is %s', (_what, requested, free, expected) => {
    expect(fits(requested, free)).toBe(expected);
  });
});

describe('a taint', () => {
  const taint: Taint = { key: 'gpu', value: 'a100', effect: 'NoSchedule' };
  const toleration = (more: Partial<Toleration>): Toleration => ({
    key: 'gpu',
    operator: 'Equal',
    value: 'a100',
    effect: 'NoSchedule',
    ...more,
  });
  const isKept = (taints: readonly Taint[], tolerations: readonly Toleration[]) =>
    mismatch({ labels: {}, taints }, { nodeSelector: {}, tolerations }) !== null;

  it.each([
    ['no toleration', [], true],
    ['the same key, value and effect', [toleration({})], false],
    ['another value', [toleration({ value: 'h100' })], true],
    ['any value', [toleration({ operator: 'Exists', value: '' })], false],
    ['another key', [toleration({ key: 'tpu' })], true],
    ['another effect', [toleration({ effect: 'NoExecute' })], true],
    ['any effect', [toleration({ effect: null })], false],
    ['any key', [toleration({ key: '', operator: 'Exists', effect: null })], false],
    ['an empty key with a value', [toleration({ key: '' })], true],
  ] as [string, Toleration[], boolean][])('keeps a job with %s away: %s', (_what, tolerations, expected) => {
    expect(isKept([taint], tolerations)).toBe(expected);
  });

  it('keeps no job away if it is only a wish', () => {
    expect(isKept([{ ...taint, effect: 'PreferNoSchedule' }], [])).toBe(false);
  });

  it('is named in the reason', () => {
    expect(mismatch({ labels: {}, taints: [taint] }, { nodeSelector: {}, tolerations: [] })).toEqual({
      kind: 'TAINT',
      text: 'the job does not tolerate the taint gpu=a100:NoSchedule',
    });
    expect(mismatch({ labels: {}, taints: [] }, { nodeSelector: { a: 'b' }, tolerations: [] })).toEqual({
      kind: 'SELECTOR',
      text: 'the label a=b is missing',
    });
  });
});

describe('an amount for people', () => {
  it.each([
    ['cpu', 1500, '1.5'],
    ['cpu', 1, '0.001'],
    ['memory', 2 ** 31, '2Gi'],
    ['memory', 1.5 * 2 ** 40, '1.5Ti'],
    ['memory', 1000, '1000'],
    ['ephemeral-storage', 2 ** 20, '1Mi'],
    ['nvidia.com/gpu', 2048, '2048'],
  ])('of %s, %i, is written as people read it', (name, amount, text) => {
    expect(amountText(name, amount)).toBe(text);
  });
});
