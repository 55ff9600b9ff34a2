import { describe, expect, it } from 'vitest';
import { leftoversIn, requireOneForm, withLeftoversBeside } from '../../src/registry/domain/flyte-specs.ts';
import { messagesThrown } from './outcomes.ts';

describe('an input in two forms', () => {
  const check = (flyte: unknown, own: Record<string, unknown>) => () =>
    requireOneForm(flyte, own, 'template');

  it.each([
    ["Flyte's form", {}, {}],
    [
      "Flyte's form beside fields that say nothing",
      {},
      { template: null, notifications: [], labels: undefined },
    ],
    ['our form', undefined, { template: {} }],
    ["our form, with null for Flyte's", null, { template: {}, notifications: [1] }],
  ])('has %s', (_what, flyte, own) => {
    expect(check(flyte, own)).not.toThrow();
  });

  it.each([
    [
      'both',
      {},
      { template: {}, labels: [], notifications: [1] },
      'give either flyte or template, notifications',
    ],
    ['none', undefined, { template: null }, 'give either template or flyte'],
    ['a part of ours', null, { notifications: [1] }, 'give either template or flyte'],
  ])('cannot have %s', (_what, flyte, own, message) => {
    expect(messagesThrown(check(flyte, own))).toEqual([message]);
  });
});

describe('what our form cannot hold', () => {
  const leftovers = [{ path: ['a'], value: 1 }];

  it('stands beside it in the document', () => {
    const document = withLeftoversBeside({ type: 't' }, leftovers);
    expect(document).toEqual({ type: 't', leftovers });
    expect(leftoversIn(document)).toEqual(leftovers);
  });

  it('leaves no trace if there is nothing', () => {
    expect(withLeftoversBeside({ type: 't' }, [])).toEqual({ type: 't' });
    expect(leftoversIn({ type: 't' })).toEqual([]);
  });
});
