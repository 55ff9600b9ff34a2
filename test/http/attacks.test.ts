/**
 * What strangers, and users with few rights, do to a server in a process of its own. With SOAK=1, at the size of an
 * attack: the server answers everybody else in time, with limited memory and processor time. In the usual run, the
 * attacks are small, and nothing is timed.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type App, basic, startApp } from '../support/app.ts';
import { type AttackedServer, type Figures, startAttackedServer } from '../support/attacked-server.ts';
import { Attacker, type Outcome } from '../support/attacker.ts';
import { pause } from '../support/pause.ts';
import { registerProject } from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { newCaller } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

const isSoak = Boolean(process.env['SOAK']);
/** How often a request is repeated, and how long an attacker stays who waits. */
const size = isSoak ? { times: 50, holdMs: 30_000 } : { times: 2, holdMs: 0 };
const PATIENCE_MS = isSoak ? 600_000 : 180_000;

let app: App;
let target: AttackedServer;
let attacker: Attacker;
/** The Authorization headers of a guest, who may read almost nothing, of a user who may upload files, and of an admin. */
const callers = { stranger: null, guest: '', uploader: '', admin: '' };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'files');
  callers.admin = app.admin;
  callers.guest = await newCaller({ role: 'GUEST' });
  callers.uploader = await newCaller({ grants: [{ type: 'PROJECT', level: 'USE' }] });
  target = await startAttackedServer({ isCompiled: isSoak });
  attacker = new Attacker(target.url);
  // What a program does for the first time takes several times as long. A server that is attacked has worked before.
  if (isSoak)
    for (const query of ['{ viewer { id } }', `{ __schema { ${types} } }`])
      await attacker.flood(1000, operation(query), callers.guest);
});
afterAll(async () => {
  await target.stop();
  await app.stop();
});
afterEach(() => attacker.leave());

/** Runs an attack while somebody else asks all the time whether the server is alive. */
async function attacked<T>(name: string, cpuMs: number, attack: () => Promise<T>): Promise<T> {
  const end = await target.watch();
  let figures: Figures;
  let outcome: T;
  try {
    outcome = await attack();
  } finally {
    figures = await end();
  }
  const text = `${name}: ${JSON.stringify(figures)}`;
  expect(figures, text).toMatchObject({ failures: 0 });
  expect(figures.answers, text).toBeGreaterThan(0);
  if (isSoak) {
    process.stdout.write(`${text}\n`);
    measured.push({ name, figures, cpuMs });
  }
  // And it still works for callers who are signed in.
  expect(await new Attacker(target.url).post(operation('{ viewer { id } }'), app.admin)).toMatchObject({
    ...{ status: 200, codes: [] },
  });
  return outcome;
}

/** The figures of all attacks, each with the most processor time that it may take. */
const measured: { readonly name: string; readonly figures: Figures; readonly cpuMs: number }[] = [];

/** What an attack took that is more than it may. The figures say whether the server was slow, or the machine. */
const excessOf = ({ name, figures, cpuMs }: (typeof measured)[number]): string[] =>
  [
    ...(figures.slowestMs < 100 ? [] : [`was once alive only after ${figures.slowestMs} ms`]),
    ...(figures.rssMb < 500 ? [] : [`had ${figures.rssMb} MB`]),
    ...(figures.cpuMs < cpuMs ? [] : [`took ${figures.cpuMs} ms of processor time`]),
  ].map((excess) => `${name}: ${excess}; ${JSON.stringify(figures)}`);

const operation = (query: string, variables: object = {}) => JSON.stringify({ query, variables });
const userBy = 'query ($by: UserByInput!) { user(by: $by) { id } }';
const listOf = (count: number, textOf: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => textOf(at)).join(' ');

const manyKeys = operation(userBy, {
  by: Object.fromEntries(Array.from({ length: 120_000 }, (_, at) => [`key${at}`, 1])),
});
const marks = (count: number) => `a${'\u0301'.repeat(count)}`;
const batchOfFragments = (count: number) => {
  const query = `{ ${listOf(count, (at) => `...F${at}`)} } ${listOf(count, (at) => `fragment F${at} on Query { viewer { id } }`)}`;
  return JSON.stringify(Array.from({ length: 10 }, () => ({ query })));
};
const types = 'types { name description fields { name description args { name description } } }';
const manyTypes = operation(`{ __schema { ${listOf(58, (at) => `t${at}: ${types}`)} } }`);
const doubled = operation(
  `{ viewer { ...F0 } } ${listOf(24, (at) => `fragment F${at} on User { ...F${at + 1} ...F${at + 1} }`)} fragment F24 on User { id }`,
);

type Flood = readonly [
  name: string,
  /** The processor time for all requests of the soak. */
  cpuMs: number,
  caller: keyof typeof callers | (() => string),
  body: string,
  /** Each status with its codes. */
  outcomes: readonly string[],
];
const floods: readonly Flood[] = [
  [
    'E1: 120,000 keys in a variable of a stranger',
    3000,
    'stranger',
    manyKeys,
    ['413 RESOURCE_EXHAUSTED', 'closed '],
  ],
  ['E1: 120,000 keys in a variable of a guest', 20_000, 'guest', manyKeys, ['200 INVALID_ARGUMENT']],
  [
    ...(['E2: a user name with 40,000 combining marks', 5000, 'admin'] as const),
    operation(userBy, { by: { username: marks(40_000) } }),
    ['200 NOT_FOUND'],
  ],
  [
    'E2: combining marks in Basic credentials',
    3000,
    () => basic(marks(3000), 'x'),
    operation('{ viewer { id } }'),
    ['401 UNAUTHENTICATED'],
  ],
  [
    'E3: a batch of 4800 fragments of a stranger',
    3000,
    'stranger',
    batchOfFragments(480),
    ['413 RESOURCE_EXHAUSTED', 'closed '],
  ],
  [
    'E3: the largest batch of fragments of a stranger',
    15_000,
    'stranger',
    batchOfFragments(125),
    ['401 UNAUTHENTICATED'],
  ],
  ['E3: fragments that name each next one twice', 10_000, 'guest', doubled, ['200 RESOURCE_EXHAUSTED']],
  ['E4: introspection 58 times', 5000, 'guest', manyTypes, ['200 RESOURCE_EXHAUSTED']],
];

const sayOf = ({ status, codes }: Outcome) => `${status} ${codes.join()}`;

describe('the server stays alive for others during', () => {
  it.each(floods)(
    '%s',
    async (name, cpuMs, caller, body, allowed) => {
      const authorization = typeof caller === 'function' ? caller() : callers[caller];
      const outcomes = await attacked(name, cpuMs, () => attacker.flood(size.times, body, authorization));
      expect(outcomes).toHaveLength(size.times);
      for (const outcome of outcomes) {
        expect(allowed).toContain(sayOf(outcome));
        expect(outcome.bytes).toBeLessThan(4000);
      }
    },
    PATIENCE_MS,
  );

  it(
    'E5: WebSockets with 300 operations whose answers nobody reads',
    async () => {
      const [sockets, operations] = isSoak ? [10, 300] : [2, 20];
      await attacked('E5: WebSockets', 60_000, async () => {
        await attacker.unreadOperations(sockets, operations, `{ __schema { ${types} } }`, callers.guest);
        await pause(size.holdMs);
      });
    },
    PATIENCE_MS,
  );

  it(
    'E5: connections with 90 requests whose answers nobody reads',
    async () => {
      const connections = isSoak ? 60 : 2;
      await attacked('E5: requests', 60_000, async () => {
        const body = operation(`{ __schema { ${types} } }`);
        await attacker.unreadRequests(connections, 90, body, callers.guest);
        await pause(size.holdMs);
      });
    },
    PATIENCE_MS,
  );

  it(
    'E6: slow bodies of strangers, and of a guest',
    async () => {
      const count = isSoak ? 250 : 5;
      await attacked('E6: strangers', 10_000, async () => {
        await attacker.slowBodies(count, 64_000, null);
        await pause(size.holdMs);
      });
      attacker.leave();
      await attacked('E6: a guest', 20_000, async () => {
        const answered = await attacker.slowBodies(count, 4_000_000, callers.guest);
        // 64 MiB have room for 16 of them.
        if (isSoak) await eventually(answered, (refused) => refused >= count - 16);
        await pause(size.holdMs);
      });
    },
    PATIENCE_MS,
  );

  it(
    'E7: slow uploads on one link, and on many, while somebody else uploads a file',
    async () => {
      await attacked('E7', 10_000, async () => {
        const contents = Array.from({ length: 8 }, () => randomBytes(100_000));
        const urls = await Promise.all(contents.map((content) => uploadUrl(content, callers.uploader)));
        const onOne = urls.map(() => attacker.slowUpload(urls[0] ?? '', contents[0] ?? randomBytes(1)));
        await eventually(
          () => onOne.filter((status) => status() === 503).length,
          (refused) => refused === 7,
        );
        const onMany = urls
          .slice(1)
          .map((url, at) => attacker.slowUpload(url, contents[at + 1] ?? randomBytes(1)));
        await eventually(
          () => onMany.filter((status) => status() === 503).length,
          (refused) => refused === 4,
        );
        const content = randomBytes(100_000);
        const { status } = await fetch(await uploadUrl(content), { method: 'PUT', body: content });
        expect(status).toBe(201);
        await pause(size.holdMs);
        // In half a minute, the server has ended all of them.
        if (isSoak) expect([...onOne, ...onMany].filter((slow) => slow() === 408)).toHaveLength(4);
      });
    },
    PATIENCE_MS,
  );

  // The last test, so that one row above its bounds does not hide the rows behind it. In small, there are no bounds.
  if (isSoak)
    it('all of these attacks: it answers within 100 ms, and has less than 500 MB', () => {
      expect(measured.flatMap(excessOf)).toEqual([]);
      expect(measured.map(({ name }) => name)).toHaveLength(floods.length + 5);
    });
});

async function uploadUrl(content: Uint8Array, authorization?: string): Promise<string> {
  const announced = await announce(app, 'files', content, authorization);
  return announced.uploadUrl.replace(app.url, target.url);
}
