import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { Server } from './servers.ts';
import type { Request, Workload, World } from './workloads.ts';

/** What one request of a workload costs a server besides time. */
export interface Proven {
  /** The statements of one request, each as often as it runs. */
  readonly statements: readonly string[];
  readonly bytes: number;
}

const COMPARED = 12;
export const COUNTED = 30;

/** PostGraphile writes instants as PostgreSQL does. Equal instants are equal answers. */
const PLAIN_INSTANT = /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\d{3}\+00:00"/g;

/** @throws Error unless the answer has status 200 and no errors. */
export async function send({ url, documents }: Server, { token, query, variables }: Request) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: documents?.get(query) ?? query, variables }),
  });
  const text = await response.text();
  const answer = JSON.parse(text.replace(PLAIN_INSTANT, '"$1Z"')) as {
    readonly data?: unknown;
    readonly errors?: unknown;
  };
  if (response.status !== 200 || answer.errors !== undefined || !answer.data)
    throw new Error(`${url} answered ${response.status} ${text.slice(0, 500)}`);
  return { data: answer.data, bytes: text.length };
}

/**
 * Proves that all servers give the same answers, and change the same rows; then counts statements and bytes of each.
 *
 * @throws Error that names the server and shows where its answer differs from that of the first server.
 */
export async function prove(
  workload: Pick<Workload, 'name' | 'reset' | 'changes'>,
  requests: readonly Request[],
  servers: readonly Server[],
  world: World,
): Promise<Map<string, Proven>> {
  const compared = requests.slice(0, COMPARED);
  let expected: { readonly answers: readonly unknown[]; readonly changes: readonly object[] } | undefined;
  for (const server of servers) {
    await workload.reset?.(world);
    const answers: unknown[] = [];
    for (const request of compared) answers.push((await send(server, request)).data);
    const changes = (await workload.changes?.list(world)) ?? [];
    if (workload.changes && changes.length !== compared.length)
      throw new Error(
        `${workload.name}: ${server.name} recorded ${changes.length} of ${compared.length} reports`,
      );
    expected ??= { answers, changes };
    mustEqual(`${workload.name}: an answer of ${server.name}`, answers, expected.answers);
    mustEqual(`${workload.name}: a row that ${server.name} changed`, changes, expected.changes);
  }
  const proven = new Map<string, Proven>();
  for (const server of servers) {
    await workload.reset?.(world);
    const counted = Array.from({ length: COUNTED }, (_, at) => requests[at % requests.length] as Request);
    // What is read and prepared at the first request of a user is not counted.
    for (const request of counted) await send(server, request);
    await workload.reset?.(world);
    const asks = counted.map((request) => async () => (await send(server, request)).bytes);
    proven.set(server.name, await countOf(asks, world.client));
  }
  await workload.reset?.(world);
  return proven;
}

function mustEqual(what: string, given: readonly unknown[], expected: readonly unknown[]): void {
  expected.forEach((one, at) => {
    if (!isDeepStrictEqual(given[at], one))
      throw new Error(`${what} differs: ${differenceOf(JSON.stringify(given[at]), JSON.stringify(one))}`);
  });
}

function differenceOf(given = '', expected = ''): string {
  let at = 0;
  while (at < given.length && given[at] === expected[at]) at += 1;
  const from = Math.max(at - 60, 0);
  return `…${given.slice(from, at + 100)}… in place of …${expected.slice(from, at + 100)}…`;
}

/**
 * Counts the statements of each request apart, and takes the fewest: a server also has statements of its own, which run
 * now and then. Each request answers how many bytes came.
 */
export async function countOf(asks: readonly (() => Promise<number>)[], client: pg.Client): Promise<Proven> {
  let fewest: string[] | undefined;
  let bytes = 0;
  let before = await callsOf(client);
  for (const ask of asks) {
    bytes += await ask();
    const after = await callsOf(client);
    const statements = [...after].flatMap(([text, calls]) =>
      Array<string>(calls - (before.get(text) ?? 0)).fill(text),
    );
    if (fewest === undefined || statements.length < fewest.length) fewest = statements;
    before = after;
  }
  return { statements: fewest ?? [], bytes: Math.round(bytes / asks.length) };
}

async function callsOf(client: pg.Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ text: string; calls: number }>(
    `select regexp_replace(query, '\\s+', ' ', 'g') as text, sum(calls)::int as calls from pg_stat_statements
      where query not like '%pg_stat_statements%' group by 1`,
  );
  return new Map(rows.map(({ text, calls }) => [text, calls]));
}
