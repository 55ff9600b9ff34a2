import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { startExecutor, type TestExecutor } from '../support/executor.ts';
import { launch, registerProject, registerTask, registerWorkflow, untilEnded } from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';
import { startWire, type Wire } from '../support/wire.ts';
import { isAlive } from './fixture.ts';

vi.hoisted(() => {
  process.env['LEASE_SECONDS'] = '5';
});

let app: App;
let wire: Wire;
let executor: TestExecutor;
const scratch = mkdtempSync(join(tmpdir(), 'slipway-lost-lease-'));
beforeAll(async () => {
  app = await startApp();
  wire = await startWire(app.url);
  executor = await startExecutor(app, { url: wire.url });
});
afterAll(async () => {
  await executor.stop();
  await wire.close();
  await app.stop();
  rmSync(scratch, { recursive: true });
});

describe('an executor that cannot renew its leases', () => {
  it('stops its runs, and another run finishes the work', async () => {
    const note = join(scratch, 'pid');
    const script = `test -e ${note} || { echo $$ > ${note}; exec sleep 300; }; echo 1 > "$SLIPWAY_OUTPUTS/y"`;
    await registerProject(app, 'lost');
    await registerTask(app, 'lost', 'double', { command: ['/bin/sh', '-c', script] });
    await registerWorkflow(app, 'lost', 'one', { a: [] });
    const id = await launch(app, 'lost', 'one');
    const pid = await eventually(
      () => (existsSync(note) ? Number(readFileSync(note, 'utf8')) : 0),
      (written) => written > 0,
    );
    wire.down();
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    );
    wire.up();
    const { phase, nodes } = await untilEnded(app, id);
    expect(phase).toBe('SUCCEEDED');
    const [attempt, ...others] = nodes.a.taskExecutions.edges;
    expect(others).toEqual([]);
    const { runs, attemptedRuns } = attempt.node.job;
    expect(runs.map((run: Answer) => run.state)).toEqual([
      'SUCCEEDED',
      expect.stringMatching(/^LEASE_(EXPIRED|RETURNED)$/),
    ]);
    expect(attemptedRuns).toBe(1);
  });
});
