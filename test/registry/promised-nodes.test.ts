import { describe, expect, it } from 'vitest';
import { promisedNodesOf } from '../../src/registry/domain/compile-bindings.ts';

const promise = (nodeId: string) => ({ promise: { nodeId, var: 'y' } });

describe('promisedNodesOf', () => {
  it('names each node whose outputs the bindings need once, at any depth', () => {
    const bindings = [
      { binding: promise('a') },
      { binding: { collection: { bindings: [promise('b'), promise('a')] } } },
      { binding: { map: { bindings: { k: promise('c') } } } },
      { binding: promise('start-node') },
      { binding: promise('') },
      { binding: { value: 3 } },
    ];
    expect(promisedNodesOf(bindings)).toEqual(['a', 'b', 'c']);
  });
});
