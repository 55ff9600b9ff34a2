import { type Bench, contestantOf, measure } from './measure.ts';
import { prove, send } from './prove.ts';
import type { Server } from './servers.ts';
import { type Row, rowOf } from './summary.ts';
import { personAt, REQUESTS, type Request } from './workloads.ts';

/** Whether a page far down a list costs more than the first one. Only Slipway is asked: it is compared with itself. */

export const FIRST_PAGE = 'page 1';
export const FAR_PAGE = 'page 1000';
const FAR = 1000;
const PAGE_SIZE = 20;
const LARGEST_PAGE = 1000;

const document = `query ($first: Int!, $after: String) {
  executions(first: $first, after: $after) { nodes { id name phase createdAt } pageInfo { endCursor } }
}`;

interface Page {
  readonly executions: {
    readonly nodes: readonly unknown[];
    readonly pageInfo: { readonly endCursor: string };
  };
}

/** @throws Error if there are not 1,000 pages. */
export async function measurePages(bench: Bench, slipway: Server, executions: number): Promise<Row[]> {
  const first = Math.min(PAGE_SIZE, Math.floor(executions / FAR));
  const after = await cursorBehind(bench, slipway, first * (FAR - 1));
  const pages: [string, Request[]][] = [
    [FIRST_PAGE, requestsFor(bench, { first })],
    [FAR_PAGE, requestsFor(bench, { first, after })],
  ];
  const proven = new Map<string, Awaited<ReturnType<typeof prove>>>();
  for (const [name, requests] of pages)
    proven.set(name, await prove({ name }, requests, [slipway], bench.world));
  const contestants = pages.map(([name, requests]) => ({ ...contestantOf(slipway, requests), name }));
  const windows = await measure(bench, { name: 'pages' }, contestants);
  return [...windows].flatMap(([name, some]) => {
    const found = proven.get(name)?.get(slipway.name);
    return found ? [rowOf('pages', name, found, some)] : [];
  });
}

const requestsFor = ({ world }: Bench, variables: object): Request[] =>
  Array.from({ length: REQUESTS }, (_, at) => ({
    ...{ token: personAt(world, at).token, query: document, variables },
  }));

/** The cursor of the last of so many executions. */
async function cursorBehind({ world }: Bench, slipway: Server, count: number): Promise<string> {
  let after: string | undefined;
  for (let left = count; left > 0; ) {
    const first = Math.min(left, LARGEST_PAGE);
    const { token } = personAt(world, 0);
    const { data } = await send(slipway, { token, query: document, variables: { first, after } });
    const { nodes, pageInfo } = (data as Page).executions;
    if (nodes.length < first) throw new Error(`there are fewer than ${count} executions`);
    after = pageInfo.endCursor;
    left -= first;
  }
  return after ?? '';
}
