import { type DoorAnswer, type DoorCall, DoorError } from '../door.ts';

/** The page that a call asks for: behind a cursor, or behind a number of items. */
interface AskedPage {
  readonly size: number;
  readonly token: string | null;
  readonly offset: number;
  /** Whether the call is of version 1, which counts with `limit` and `offset`. */
  readonly isCounted: boolean;
}

const MAX_SIZE = 500;
const MAX_OFFSET = 10_000;
/** The largest page of our lists. */
const MAX_STEP = 1000;

/**
 * The page in `page_size` and `page_token`, or else in `limit` and `offset`. As in Hydra, a size that is too large is
 * lowered. @throws DoorError if the offset is not a number, or too large.
 */
function askedPage({ query }: DoorCall): AskedPage {
  const isCounted = query.has('limit') || query.has('offset');
  const asked = Number(query.get(isCounted ? 'limit' : 'page_size') ?? Number.NaN);
  const byDefault = isCounted ? 100 : 250;
  const size = Number.isSafeInteger(asked) ? Math.min(Math.max(asked, 1), MAX_SIZE) : byDefault;
  const offset = isCounted ? Number(query.get('offset') ?? 0) : 0;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > MAX_OFFSET) {
    const message = `must be 0 to ${MAX_OFFSET}; use page_token of the Link header for later pages`;
    throw new DoorError('INVALID_ARGUMENT', 'the page is not valid', {
      problems: [{ path: ['offset'], message }],
    });
  }
  return { size, token: isCounted ? null : query.get('page_token') || null, offset, isCounted };
}

/** Where a page of our lists is. */
interface Place {
  readonly first: number;
  readonly after: string | null;
}

interface PageInfo {
  readonly hasNextPage: boolean;
  readonly endCursor?: string | null;
}

interface Skipped {
  readonly list: { readonly pageInfo: PageInfo };
}

interface Listed<Node> extends Skipped {
  readonly list: {
    readonly totalCount: number;
    readonly edges: readonly { readonly node: Node }[];
    readonly pageInfo: PageInfo;
  };
}

/**
 * Answers the page of a list that a call asks for.
 *
 * @param source.read  reads a page. @param source.skip  reads only where a page ends.
 * @throws DoorError
 */
export async function listPage<Node>(
  call: DoorCall,
  toJson: (node: Node) => Record<string, unknown>,
  source: {
    readonly read: (place: Place) => Promise<Listed<Node>>;
    readonly skip: (place: Place) => Promise<Skipped>;
  },
): Promise<DoorAnswer> {
  const asked = askedPage(call);
  const start = await startOf(asked, source.skip);
  // Behind the end of the list there is still its number of items.
  const { list } = await source.read({ first: asked.size, after: start.after });
  const { hasNextPage, endCursor } = list.pageInfo;
  const next = hasNextPage && !start.isBehindEnd ? (endCursor ?? null) : null;
  const headers = pageHeaders(call, asked, { total: list.totalCount, next });
  return { status: 200, headers, body: start.isBehindEnd ? [] : list.edges.map(({ node }) => toJson(node)) };
}

/** Goes over the items before a page. @returns the cursor of the last of them; null for the start of the list. */
async function startOf(
  { token, offset }: AskedPage,
  skip: (place: Place) => Promise<Skipped>,
): Promise<{ readonly after: string | null; readonly isBehindEnd: boolean }> {
  let after = token;
  for (let left = offset; left > 0; left -= MAX_STEP) {
    const { list } = await skip({ first: Math.min(left, MAX_STEP), after });
    if (!list.pageInfo.hasNextPage) return { after, isBehindEnd: true };
    after = list.pageInfo.endCursor ?? null;
  }
  return { after, isBehindEnd: false };
}

/** The headers that name the number of all items, the first page and the next one. Source: RFC 8288. */
function pageHeaders(
  { path, query }: DoorCall,
  { size, offset, isCounted }: AskedPage,
  { total, next }: { readonly total: number; readonly next: string | null },
): Record<string, string> {
  const link = (relation: string, changes: Readonly<Record<string, string | null>>) => {
    const parameters = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes))
      if (value === null) parameters.delete(name);
      else parameters.set(name, value);
    return `<${path}?${parameters}>; rel="${relation}"`;
  };
  const at = (place: number) => ({ limit: String(size), offset: String(place) });
  const behind = (token: string | null) => ({ page_size: String(size), page_token: token });
  const links = [link('first', isCounted ? at(0) : behind(null))];
  if (next !== null) links.push(link('next', isCounted ? at(offset + size) : behind(next)));
  return { link: links.join(','), 'x-total-count': String(total) };
}
