import { type DoorCall, DoorError } from '../door.ts';

/** One page of a list, and where the next one begins. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
  readonly hasNext: boolean;
  /** The cursor of the last item. */
  readonly cursor: string | null;
}

/** The page that a call asks for: behind a cursor, or behind a number of items. */
export interface AskedPage {
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
export function askedPage({ query }: DoorCall): AskedPage {
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

/**
 * The cursor behind which a page begins; null for the start of the list.
 *
 * @param skip  goes over some items. @returns the cursor of the last of them; null if the list ends before.
 */
export async function startOf(
  { token, offset }: AskedPage,
  skip: (first: number, after: string | null) => Promise<{ cursor: string | null; hasNext: boolean }>,
): Promise<{ readonly after: string | null; readonly isBehindEnd: boolean }> {
  let after = token;
  let left = offset;
  while (left > 0) {
    const first = Math.min(left, MAX_STEP);
    const { cursor, hasNext } = await skip(first, after);
    if (!hasNext) return { after, isBehindEnd: true };
    after = cursor;
    left -= first;
  }
  return { after, isBehindEnd: false };
}

/** The headers that name the number of all items, the first page and the next one. Source: RFC 8288. */
export function pageHeaders(
  { path, query }: DoorCall,
  { size, offset, isCounted }: AskedPage,
  { total, hasNext, cursor }: Omit<Page<unknown>, 'items'>,
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
  if (hasNext) links.push(link('next', isCounted ? at(offset + size) : behind(cursor)));
  return { link: links.join(','), 'x-total-count': String(total) };
}
