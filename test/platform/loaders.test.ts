import { describe, expect, it } from 'vitest';
import { listLoader } from '../../src/platform/loaders.ts';

const page = { limit: 10, backward: false, from: null };

describe('listLoader', () => {
  it('reads the lists of all parents at once, and again when they are asked for again', async () => {
    const reads: (readonly string[])[] = [];
    let name = 'before';
    const lists = listLoader({
      read: async (parentIds: readonly string[]) => {
        reads.push(parentIds);
        return parentIds.map((listedIn) => ({ listedIn, name }));
      },
      count: async (parentIds) => parentIds.slice(1).map((parentId) => ({ parentId, count: name.length })),
    });
    const ask = () => Promise.all(['a', 'b'].map((parent) => lists.page(parent, null, page)));
    const count = () => Promise.all(['a', 'b'].map((parent) => lists.count(parent, null)));
    expect(await ask()).toEqual([[{ listedIn: 'a', name }], [{ listedIn: 'b', name }]]);
    expect(await count()).toEqual([0, 6]);
    name = 'after';
    expect((await ask()).flat().map((row) => row.name)).toEqual(['after', 'after']);
    expect(await count()).toEqual([0, 5]);
    expect(reads).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});
