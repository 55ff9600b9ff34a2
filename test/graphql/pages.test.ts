/** Pages of a list: their sizes, their cursors, and what they say of the pages around them. */
import { describe, expect, it } from 'vitest';
import { type PageArguments, pagedList } from '../../src/graphql/keyset.ts';
import type { Order, Page, SortType } from '../../src/platform/database/page.ts';

interface Row {
  readonly key: string;
}

const orderBy = (type: SortType): Order<Row> => [
  { column: 'key', type, direction: 'asc', of: ({ key }) => key },
];
const rows: readonly Row[] = Array.from({ length: 2000 }, (_, at) => ({ key: String(at).padStart(4, '0') }));

/** As the statements do: after the cursor, in the order of reading, and one row more than the page has. */
function read({ limit, backward, from }: Page): readonly Row[] {
  const [cursor] = from ?? [];
  const inOrder = backward ? rows.toReversed() : rows;
  const rest = inOrder.filter(
    ({ key }) => cursor === undefined || (backward ? key < String(cursor) : key > String(cursor)),
  );
  return rest.slice(0, limit + 1);
}

async function page(args: PageArguments, type: SortType = 'text') {
  const { edges, pageInfo } = await pagedList(
    args,
    orderBy(type),
    async (asked) => read(asked),
    async () => 0,
  );
  return { keys: edges.map(({ node }) => node.key), pageInfo };
}

const cursorOf = (...key: unknown[]) => Buffer.from(JSON.stringify(key)).toString('base64url');

describe('the size of a page', () => {
  it.each<[PageArguments, number]>([
    [{}, 25],
    [{ first: null, last: null }, 25],
    [{ first: 1 }, 1],
    [{ first: 1000 }, 1000],
    [{ last: 1 }, 1],
    [{ last: 1000 }, 1000],
    [{ before: cursorOf('1000') }, 25],
  ])('with %j is %i', async (args, size) => {
    expect((await page(args)).keys).toHaveLength(size);
  });

  it.each<[PageArguments, string]>([
    [{ first: 0 }, 'first must be between 1 and 1000'],
    [{ first: -1 }, 'first must be between 1 and 1000'],
    [{ first: 1001 }, 'first must be between 1 and 1000'],
    [{ last: 0 }, 'last must be between 1 and 1000'],
    [{ last: 1001 }, 'last must be between 1 and 1000'],
    [{ first: 1, last: 1 }, 'use first and after, or last and before, but not both'],
    [{ first: 1, before: 'x' }, 'use first and after, or last and before, but not both'],
    [{ after: 'x', last: 1 }, 'use first and after, or last and before, but not both'],
    [{ after: 'x', before: 'x' }, 'use first and after, or last and before, but not both'],
  ])('is refused for %j', async (args, message) => {
    await expect(page(args)).rejects.toThrow(message);
  });
});

describe('a page', () => {
  it('begins after its cursor, and says what comes before and after it', async () => {
    const first = await page({ first: 2 });
    expect(first).toEqual({
      keys: ['0000', '0001'],
      pageInfo: {
        hasNextPage: true,
        hasPreviousPage: false,
        startCursor: cursorOf('0000'),
        endCursor: cursorOf('0001'),
      },
    });
    expect(await page({ first: 2, after: first.pageInfo.endCursor })).toMatchObject({
      keys: ['0002', '0003'],
      pageInfo: { hasNextPage: true, hasPreviousPage: true },
    });
    expect(await page({ first: 2, after: cursorOf('1997') })).toMatchObject({
      keys: ['1998', '1999'],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
  });

  it('ends before its cursor when it is read from the end, in the same order', async () => {
    expect(await page({ last: 2 })).toMatchObject({
      keys: ['1998', '1999'],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    expect(await page({ last: 2, before: cursorOf('0002') })).toMatchObject({
      keys: ['0000', '0001'],
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
  });

  it('has no cursors when it is empty', async () => {
    expect(await page({ first: 2, after: cursorOf('1999') })).toEqual({
      keys: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });
});

describe('a cursor', () => {
  const id = '01980000-0000-7000-8000-000000000000';

  it.each<[SortType, string]>([
    ['text', ''],
    ['text', 'x'.repeat(255)],
    ['uuid', id],
    ['int', '0'],
    ['int', '999999999'],
    ['timestamptz', '0001-01-01T00:00:00.000Z'],
    ['timestamptz', '9999-12-31T23:59:59.999Z'],
  ])('of %s may be %j', async (type, key) => {
    expect(await page({ first: 1, after: cursorOf(key) }, type)).toBeDefined();
  });

  it.each<[SortType, string]>([
    ['text', cursorOf('x'.repeat(256))],
    ['text', cursorOf('\u0000')],
    ['text', cursorOf(1)],
    ['text', cursorOf(null)],
    ['text', cursorOf()],
    ['text', cursorOf('x', 'y')],
    ['text', Buffer.from('{"0":"x","length":1}').toString('base64url')],
    ['text', Buffer.from('"x"').toString('base64url')],
    ['text', 'no cursor'],
    ['uuid', cursorOf('x')],
    ['int', cursorOf('1000000000')],
    ['int', cursorOf('-1')],
    ['int', cursorOf(1)],
    ['timestamptz', cursorOf('now')],
    ['timestamptz', cursorOf('0000-12-31T00:00:00.000Z')],
    ['timestamptz', cursorOf('+010000-01-01T00:00:00.000Z')],
    ['timestamptz', cursorOf('2026-02-30T00:00:00.000Z')],
    ['timestamptz', cursorOf('2026-13-01T00:00:00.000Z')],
    ['timestamptz', cursorOf('2026-01-01')],
  ])('of %s is refused when it is not one of the list: %s', async (type, cursor) => {
    await expect(page({ first: 1, after: cursor }, type)).rejects.toThrow(
      'after is not a cursor of this list',
    );
    await expect(page({ last: 1, before: cursor }, type)).rejects.toThrow(
      'before is not a cursor of this list',
    );
  });
});
