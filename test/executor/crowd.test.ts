import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { startExecutor } from '../support/executor.ts';
import {
  eventually,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  type Shape,
} from '../support/seed.ts';
import { PlayedRuntime } from './played.ts';

const project = 'crowd';
const NODES = process.env['SOAK'] ? 100 : 20;

/**
 * Passes requests on to the server. If the server is crowded, each report is first refused as often as the list is
 * long.
 */
class Door {
  readonly refusals = [
    { status: 429, headers: { 'retry-after': '1' }, code: 'RESOURCE_EXHAUSTED' },
    { status: 503, headers: {}, code: 'RESOURCE_EXHAUSTED' },
    { status: 200, headers: {}, code: 'UNAVAILABLE' },
  ] as const;
  isCrowded = false;
  refused = 0;
  readonly #server: Server;
  readonly #tries = new Map<string, number>();

  constructor(target: string) {
    this.#server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece);
      const body = Buffer.concat(pieces).toString();
      const refusal = this.isCrowded ? this.#refusalOf(body) : undefined;
      if (refusal) {
        this.refused += 1;
        const errors = [{ message: 'not now', extensions: { code: refusal.code } }];
        response.writeHead(refusal.status, { ...refusal.headers, 'content-type': 'application/json' });
        return void response.end(JSON.stringify({ errors }));
      }
      const { authorization = '' } = request.headers;
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await fetch(`${target}/graphql`, { method: 'POST', headers, body }).catch(() => null);
      if (!answer) return void response.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
  }

  #refusalOf(body: string) {
    const { query, variables } = JSON.parse(body);
    if (!query.includes('reportJobEvents')) return undefined;
    const [{ run, kind }] = variables.input.events;
    const tries = this.#tries.get(`${kind} ${run}`) ?? 0;
    this.#tries.set(`${kind} ${run}`, tries + 1);
    return this.refusals[tries];
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let app: App;
let door: Door;
beforeAll(async () => {
  app = await startApp();
  door = new Door(app.url);
  await registerProject(app, project);
  // So many runs fit on this machine.
  await registerTask(app, project, 'double', { requests: { CPU: '1m', MEMORY: '1Mi' } });
  const shape: Shape = Object.fromEntries(Array.from({ length: NODES }, (_, index) => [`n${index}`, []]));
  await registerWorkflow(app, project, 'wide', shape);
});
afterAll(async () => {
  door.close();
  await app.stop();
});

describe('200 runs that end at the same moment while the server defers each first report', () => {
  it('keep their results, each in its first attempt', async () => {
    const runtime = new PlayedRuntime();
    const { begun } = runtime;
    const { start } = runtime;
    runtime.start = async (work, signal) => {
      writeFileSync(join(work.directory.outputs, 'y'), '2');
      return await start(work, signal);
    };
    const ids = [
      await launch(app, project, 'wide', { maxParallelism: 0 }),
      await launch(app, project, 'wide', { maxParallelism: 0 }),
    ];
    const executor = await startExecutor(app, { url: await door.open(), slots: 2 * NODES, runtime });
    await eventually(
      async () => begun.length,
      (count) => count === 2 * NODES,
    );
    door.isCrowded = true;
    for (const run of begun) runtime.end(run);
    for (const id of ids) {
      const execution = await eventually(
        () => phasesOf(id),
        ({ phase }) => phase !== 'RUNNING',
      );
      expect(execution).toMatchObject({
        phase: 'SUCCEEDED',
        nodeCounts: [{ phase: 'SUCCEEDED', count: NODES }],
      });
    }
    expect(door.refused).toBeGreaterThanOrEqual(2 * NODES * door.refusals.length);
    expect(new Set(begun).size).toBe(2 * NODES);
    await executor.stop();
  }, 180_000);
});

async function phasesOf(id: string): Promise<Answer> {
  const { data } = await app.ask(
    'query ($id: ID!) { execution(by: { id: $id }) { phase nodeCounts { phase count } error { code message } } }',
    { id },
  );
  return data.execution;
}
