import { describe, expect, it } from 'vitest';
import { addressText } from '../../src/platform/address-text.ts';
import { type Address, readAddressed } from '../../src/platform/by-address.ts';
import { newId } from '../../src/platform/ids.ts';

const [one, two] = [
  { id: newId(), project: 'demo', name: 'one' },
  { id: newId(), project: 'demo', name: 'two' },
];

/** Reads the rows of these addresses, and notes which reads that takes. */
async function read(...addresses: Address<'project' | 'name'>[]) {
  const reads: unknown[] = [];
  const rows = await readAddressed(
    addresses,
    ['project', 'name'],
    async (ids) => {
      reads.push(ids);
      return [two, one].filter(({ id }) => ids.includes(id));
    },
    async (...columns) => {
      reads.push(columns);
      return [two, one].filter(({ name }) => columns[1]?.includes(name));
    },
  );
  return { rows, reads };
}

describe('readAddressed', () => {
  it('finds the row of each address in their order, in one read by ids and one by keys', async () => {
    const { rows, reads } = await read(
      { project: 'demo', name: 'two' },
      { id: one.id },
      { key: { project: 'other', name: 'one' } },
      { key: { project: 'demo', name: 'one' } },
      { id: newId() },
    );
    expect(rows).toEqual([two, one, null, one, null]);
    expect(reads).toHaveLength(2);
  });

  it('reads nothing by id or by key where no address has one, or where it can be none', async () => {
    expect(await read({ id: one.id })).toEqual({ rows: [one], reads: [[one.id]] });
    expect(await read({ project: 'demo', name: 'one' })).toEqual({
      rows: [one],
      reads: [[['demo'], ['one']]],
    });
    expect(await read({ id: 'x' })).toEqual({ rows: [null], reads: [] });
  });
});

describe('addressText', () => {
  it.each([
    [{ id: 'x' }, 'x'],
    [
      { key: { domain: 'development', name: 'chain', project: 'demo', version: 'v9' } },
      'demo/development/chain version v9',
    ],
    [{ key: { alias: 'champion', model: 'churn', project: 'demo' } }, 'demo/churn@champion'],
    [{ key: { execution: { id: 'e' }, nodeId: 'train' } }, 'e/train'],
  ])('of %j is %s', (by, text) => {
    expect(addressText(by)).toBe(text);
  });
});
