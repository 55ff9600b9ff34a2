import { describe, expect, it } from 'vitest';
import { flyteUrlsOf } from '../../src/executions/domain/flyte-urls.ts';

const part = { project: 'p', domain: 'd', execution: 'e', nodeId: 'n', attempt: null, hasDeck: false };

describe('the addresses of Flyte', () => {
  it.each([
    [{}, { inputs: 'flyte://v1/p/d/e/n/i', outputs: 'flyte://v1/p/d/e/n/o', deck: null }],
    [{ hasDeck: true }, { deck: 'flyte://v1/p/d/e/n/d' }],
    [{ attempt: 0 }, { inputs: 'flyte://v1/p/d/e/n/0/i', outputs: 'flyte://v1/p/d/e/n/0/o', deck: null }],
    [{ attempt: 2, hasDeck: true }, { deck: 'flyte://v1/p/d/e/n/2/d' }],
  ])('of %j', (more, expected) => {
    expect(flyteUrlsOf({ ...part, ...more })).toMatchObject(expected);
  });
});
