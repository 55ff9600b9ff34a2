/** What the executor measures and reports about the use of its machine. */
import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RuntimeNode } from '../../src/executor/host/runtime.ts';
import { UsageMeter } from '../../src/executor/host/usage-meter.ts';
import { usageInput } from '../../src/executor/host/usage-reporter.ts';
import { measureRuns } from '../../src/executor/runtimes/process/measure-runs.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { startExecutor } from '../support/executor.ts';
import { make, mutate } from '../support/mutate.ts';
import { eventually } from '../support/waiting.ts';

const samples = (cpuTimeMillis: number, memoryBytes: number) =>
  new Map([['run', { cpuTimeMillis, memoryBytes }]]);

describe('a meter of usage', () => {
  it('tells the most and the average of a period, and the CPU time since the start', () => {
    const meter = new UsageMeter();
    meter.add(0, samples(500, 100));
    meter.add(1000, samples(2500, 300));
    meter.add(3000, samples(3500, 200));
    expect(meter.take().get('run')).toEqual({
      ...{ max: { cpuMillis: 2000, memoryBytes: 300 }, average: { cpuMillis: 1000, memoryBytes: 200 } },
      cpuTotalMillis: 3500,
    });
  });

  it('begins the next period where the last one has ended', () => {
    const meter = new UsageMeter();
    meter.add(0, samples(0, 900));
    meter.take();
    meter.add(2000, samples(1000, 100));
    expect(meter.take().get('run')).toMatchObject({
      ...{ max: { cpuMillis: 500, memoryBytes: 100 }, average: { cpuMillis: 500, memoryBytes: 100 } },
    });
  });

  it('forgets runs that have ended', () => {
    const meter = new UsageMeter();
    meter.add(0, samples(0, 1));
    meter.add(1, new Map());
    expect(meter.take().size).toBe(0);
  });

  it('never tells less than nothing, or an average above the most', () => {
    const step = fc.record({
      ms: fc.integer({ min: 1, max: 60_000 }),
      cpu: fc.nat({ max: 10_000_000 }),
      memory: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const meter = new UsageMeter();
        let at = 0;
        for (const { ms, cpu, memory } of steps) {
          at += ms;
          meter.add(at, samples(cpu, memory));
        }
        const used = meter.take().get('run');
        expect(used?.average.cpuMillis).toBeGreaterThanOrEqual(0);
        expect(used?.average.cpuMillis).toBeLessThanOrEqual(used?.max.cpuMillis ?? 0);
        expect(used?.average.memoryBytes).toBeLessThanOrEqual(used?.max.memoryBytes ?? 0);
        expect(used?.cpuTotalMillis).toBe(Math.max(...steps.map(({ cpu }) => cpu)));
      }),
    );
  });
});

describe('a report', () => {
  it('adds up the runs of each queue and what the machines have', () => {
    const run = (id: string, queue: string | null) => ({
      ...{ id, queue, requests: { cpuMillis: 1000, memoryBytes: 10, gpus: 0 } },
    });
    const used = { cpuMillis: 200, memoryBytes: 5 };
    const measured = new Map(
      ['a', 'b'].map((id) => [
        id,
        { max: { cpuMillis: 900, memoryBytes: 7 }, average: used, cpuTotalMillis: 42 },
      ]),
    );
    const nodes: RuntimeNode[] = [
      { name: 'x', allocatable: { cpu: '500m', memory: '1Ki' } },
      { name: 'y', allocatable: { cpu: '2' } },
    ];
    const runs = [run('a', 'two'), run('b', 'one'), run('c', 'two'), run('d', null)];
    const capacity = { cpu: '2500m', memory: '1024' };
    const running = (count: number) => [{ state: 'RUNNING', count }];
    expect(usageInput(runs, measured, nodes)).toEqual({
      nodeTypes: [
        {
          ...{
            nodeType: 'default',
            capacity,
            availableCapacity: capacity,
            totalNodes: 2,
            schedulableNodes: 2,
          },
          queues: [
            {
              ...{ name: 'one', resources: { cpu: '1000m', memory: '10' } },
              ...{ resourcesUsed: { cpu: '200m', memory: '5' }, runsByState: running(1) },
            },
            {
              ...{ name: 'two', resources: { cpu: '2000m', memory: '20' } },
              ...{ resourcesUsed: { cpu: '200m', memory: '5' }, runsByState: running(2) },
            },
          ],
        },
      ],
      runs: ['a', 'b'].map((id) => ({
        ...{
          run: id,
          maxResources: { cpu: '900m', memory: '7' },
          avgResources: { cpu: '200m', memory: '5' },
        },
        cumulativeUsage: { cpu: '42m' },
      })),
    });
  });
});

describe.skipIf(process.platform !== 'linux')('the process runtime', () => {
  it('measures the processes of a run, those that have left its group included, and no others', async () => {
    const [runId, other] = [newId(), newId()];
    const burn = 'const end = Date.now() + 60000; while (Date.now() < end);';
    const start = (id: string) =>
      spawn(process.execPath, ['-e', burn], { detached: true, stdio: 'ignore', env: { SLIPWAY_RUN_ID: id } });
    const children = [start(runId), start(runId), start(other)];
    try {
      const sample = await eventually(
        () => measureRuns([runId, newId()]),
        (all) => (all.get(runId)?.cpuTimeMillis ?? 0) >= 200,
      );
      expect([...sample.keys()]).toEqual([runId]);
      expect(sample.get(runId)?.memoryBytes).toBeGreaterThan(2 * 10_000_000);
      expect(measureRuns([])).toEqual(new Map());
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });
});

describe.skipIf(process.platform !== 'linux')('an executor', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  it('reports what a run and its queue use while the run works', async () => {
    await make(app, 'createQueue', { name: 'busy' }, 'queue');
    const executor = await startExecutor(app, { usageTimes: { sampleMs: 50, reportMs: 200 } });
    try {
      const container = {
        image: 'x',
        command: [process.execPath, '-e', 'for (;;);'],
        resources: {
          requests: [
            { name: 'cpu', value: '1' },
            { name: 'memory', value: '64Mi' },
          ],
        },
      };
      const { results } = await mutate(
        app,
        'submitJobs',
        { queue: 'busy', jobSet: 'set', jobs: [{ container }] },
        'results { job { id } }',
      );
      expect(results, 'the job was refused').toBeDefined();
      const [{ job }] = results;
      const used = await eventually(
        () => db.jobRun.findFirst({ where: { jobId: job.id } }),
        (run) => run?.usage != null,
      );
      expect(used?.usage).toMatchObject({ maxResources: { memory: expect.any(Number) } });
      const queue = async () =>
        (
          await app.ask(
            '{ queue(by: { name: "busy" }) { usage { pool resources resourcesUsed runsByState { state count } } } }',
          )
        ).data.queue.usage;
      const [usage] = await eventually(
        queue,
        (all) => Number.parseInt(all[0]?.resourcesUsed.cpu ?? '0', 10) > 0,
      );
      expect(usage).toMatchObject({
        ...{ pool: 'default', resources: { cpu: '1000m', memory: String(64 * 2 ** 20) } },
        runsByState: [{ state: 'RUNNING', count: 1 }],
      });
      await mutate(app, 'cancelJobs', { ids: [job.id] });
    } finally {
      await executor.stop();
    }
  });
});
