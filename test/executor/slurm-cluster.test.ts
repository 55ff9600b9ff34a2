/** Runs on a real Slurm with two nodes on this machine. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunRecord, RunRecords } from '../../src/executor/host/run-records.ts';
import { SlurmClient } from '../../src/executor/runtimes/slurm/slurm-client.ts';
import { SlurmRuntime } from '../../src/executor/runtimes/slurm/slurm-runtime.ts';
import { log } from '../../src/platform/log.ts';
import { needs } from '../support/require.ts';
import { Slurm } from '../support/slurm.ts';
import { eventually } from '../support/waiting.ts';
import {
  createRoot,
  finish,
  INTEGER,
  isAlive,
  listFolder,
  never,
  node,
  shell,
  types,
  waitUntil,
} from './fixture.ts';

describe.runIf(needs('slurm', 'runs on a real Slurm'))('the slurm runtime', () => {
  let slurm: Slurm;
  beforeAll(async () => {
    slurm = await Slurm.start();
  });
  afterAll(() => slurm?.stop());

  /** A runtime as a new executor would have it. */
  const runtime = (times: { sweepMs?: number; orphanMs?: number } = {}) =>
    new SlurmRuntime({
      client: new SlurmClient({ url: slurm.url, user: 'root', token: { file: slurm.tokenFile } }),
      ...{ log, root: slurm.shared, partition: 'main', account: null },
      ...{ askMs: 500, shareMs: 2_000 },
      ...times,
    });
  const y = { interface: { inputs: {}, outputs: types({ y: INTEGER }) } };

  /** The number of a run's job, when Slurm has it. */
  const numberOf = async (runId: string) =>
    (
      await eventually(
        () => slurm.command('squeue', '-h', '-o', '%A', '-n', `slipway-${runId}`),
        (text) => text.trim() !== '',
      )
    ).trim();
  const allowRequeue = (job: string) => slurm.command('scontrol', 'update', `jobid=${job}`, 'requeue=1');
  async function scancel(job: string): Promise<void> {
    await slurm.command('scancel', job);
  }
  async function requeue(job: string): Promise<void> {
    await allowRequeue(job);
    await slurm.command('scontrol', 'requeue', job);
  }
  const setPartition = (state: 'up' | 'down') =>
    slurm.command('scontrol', 'update', 'partition=main', `state=${state}`);
  const untilHeld = (job: string) =>
    eventually(
      () => slurm.command('squeue', '-h', '-o', '%T %r', '-j', job).catch(() => ''),
      (text) => text.trim() === 'PENDING launch failed requeued held',
    );

  it('tells the nodes of the partition', async () => {
    expect(await runtime().nodes()).toEqual([
      { name: 'n1', allocatable: { cpu: '8', memory: '8000Mi' } },
      { name: 'n2', allocatable: { cpu: '8', memory: '8000Mi' } },
    ]);
  });

  it('runs a command with its inputs, variables, outputs and log', async () => {
    const spec = node(
      `console.log(JSON.stringify([process.env['my.name'], process.env.PWD, process.env.SLURM_JOB_ID > 0,
        process.env.SLIPWAY_RUN_ID, process.cwd() === process.env.HOME, process.argv[1]]));
       console.error('to stderr');
       require('fs').writeFileSync(process.env.SLIPWAY_OUTPUTS + '/y', '5')`,
      y,
    );
    spec.container.env = [
      { key: 'my.name', value: `it's "a" $b` },
      { key: 'PWD', value: '/elsewhere' },
    ];
    spec.container.args = ["two\nlines 'and' \\ more"];
    const run = await finish(spec, { runtime: runtime() });
    expect(run.outcome, run.stderr + slurm.said()).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 5 } });
    const expected = [`it's "a" $b`, '/elsewhere', true, spec.runId, true, "two\nlines 'and' \\ more"];
    expect(JSON.parse(run.stdout)).toEqual(expected);
    expect(run.stderr).toBe('to stderr\n');
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('uses the node that the server has chosen, and asks for CPUs and memory', async () => {
    const requests = [
      { name: 'CPU', value: '2500m' },
      { name: 'MEMORY', value: '100Mi' },
    ];
    const spec = shell('echo $SLURMD_NODENAME $SLURM_CPUS_ON_NODE $SLURM_MEM_PER_NODE', { node: 'n2' });
    const container = { ...spec.container, resources: { requests, limits: [] } };
    const run = await finish({ ...spec, container }, { runtime: runtime() });
    expect(run.stdout, JSON.stringify(run.outcome)).toBe('n2 3 100\n');
  });

  it.each([
    ['exit 3', { exitCode: 3, signal: null, error: { code: 'NonZeroExit' } }],
    ['kill -9 $$', { exitCode: null, signal: 'SIGKILL', error: { code: 'Killed' } }],
    ['/no/such/program', { exitCode: 127, error: { code: 'NonZeroExit' } }],
  ])('reports how a command fails: %s', async (script, failure) => {
    const run = await finish(shell(script), { runtime: runtime() });
    expect(run.outcome).toMatchObject({ kind: 'FAILED', ...failure });
  });

  it('returns a job that no node can ever run', async () => {
    const spec = shell(':');
    const resources = { requests: [{ name: 'CPU', value: '64' }], limits: [] };
    const run = await finish(
      { ...spec, container: { ...spec.container, resources } },
      { runtime: runtime() },
    );
    expect(run.outcome).toMatchObject({ kind: 'FAILED', error: { kind: 'SYSTEM', code: 'NotStarted' } });
    await slurm.untilNoJobs();
  });

  it('asks a command within five seconds to end', async () => {
    const folder = await createRoot();
    const cancel = new AbortController();
    // The command counts the time from the moment when the test cancels it.
    const spec = shell(
      `trap 'echo asked > ${folder}/note; exit 0' TERM; echo begun; count=0
       while :; do
         sleep 0.1
         test -e ${folder}/cancelled && count=$((count + 1))
         test $count -ge 50 && { echo late > ${folder}/note; exit 0; }
       done`,
      { terminationGraceSeconds: 30 },
    );
    const run = await finish(spec, {
      ...{ runtime: runtime(), signal: cancel.signal },
      onLog: () => {
        writeFileSync(join(folder, 'cancelled'), '');
        cancel.abort();
      },
    });
    expect(run.outcome).toEqual({ kind: 'CANCELLED' });
    expect(readFileSync(join(folder, 'note'), 'utf8')).toBe('asked\n');
  });

  it('kills a command that ignores SIGTERM, with what it has started', async () => {
    const cancel = new AbortController();
    const note = join(await createRoot(), 'pids');
    const trap = 'trap "" TERM';
    const script = `${trap}; (${trap}; while :; do sleep 0.1; done) & echo $$ $! > ${note}; while :; do sleep 0.1; done`;
    const running = finish(shell(script, { terminationGraceSeconds: 1 }), {
      ...{ runtime: runtime(), signal: cancel.signal },
    });
    const pids = await eventually(
      () => (existsSync(note) ? readFileSync(note, 'utf8').trim().split(' ').map(Number) : []),
      (read) => read.length === 2,
    );
    expect(pids.map(isAlive)).toEqual([true, true]);
    cancel.abort();
    expect((await running).outcome).toEqual({ kind: 'CANCELLED' });
    await waitUntil(() => !pids.some(isAlive), 'they were gone');
  });

  it('cancels a job that waits in the queue, which then never begins', async () => {
    await slurm.command('scontrol', 'update', 'partition=main', 'state=down');
    const cancel = new AbortController();
    const begun = join(await createRoot(), 'begun');
    const spec = shell(`touch ${begun}`);
    let waits = 0;
    const running = finish(spec, {
      ...{ runtime: runtime(), signal: cancel.signal },
      onWaiting: () => {
        waits += 1;
      },
    });
    await eventually(
      () => slurm.command('squeue', '-h', '-o', '%j %T'),
      (queue) => queue.includes(`slipway-${spec.runId} PENDING`),
    );
    await waitUntil(() => waits === 1, 'it was known to wait');
    cancel.abort();
    expect((await running).outcome).toEqual({ kind: 'CANCELLED' });
    await slurm.command('scontrol', 'update', 'partition=main', 'state=up');
    await slurm.untilNoJobs();
    expect(existsSync(begun)).toBe(false);
  });

  it('goes on while slurmctld is away, and is not confused when it has forgotten the job', async () => {
    const go = join(await createRoot(), 'go');
    let starts = 0;
    const running = finish(
      shell(`echo begun; while ! test -e ${go}; do sleep 0.1; done; echo 7 > "$SLIPWAY_OUTPUTS/y"`, y),
      {
        runtime: runtime(),
        onStarted: () => {
          starts += 1;
        },
      },
    );
    await waitUntil(() => starts === 1, 'it had begun');
    await slurm.killController();
    writeFileSync(go, '');
    expect((await running).outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 7 } });
    slurm.startController();
    await slurm.untilNodesIdle();
  });

  it('submits when slurmctld comes back', async () => {
    await slurm.stopController();
    const running = finish(shell('echo ran'), { runtime: runtime() });
    slurm.startController();
    expect((await running).stdout).toBe('ran\n');
  });

  it('takes a token that was renewed', async () => {
    writeFileSync(slurm.tokenFile, 'SLURM_JWT=eyJhbGciOiJIUzI1NiJ9.e30.bad');
    const running = finish(shell('echo ran'), { runtime: runtime() });
    await slurm.renewToken();
    expect((await running).stdout).toBe('ran\n');
  });

  /** Leaves a run to the next executor, in the given state of Slurm. */
  async function leftBehind(script: string, whileLeft: () => Promise<void> | void = () => {}) {
    const records = new RunRecords(await createRoot(), log);
    const leave = new AbortController();
    const spec = shell(script, y);
    const first = await finish(spec, {
      ...{ runtime: runtime(), records, leave: leave.signal },
      onStarted: () => leave.abort(),
    });
    expect(first.outcome).toEqual({ kind: 'LEFT' });
    const [record] = records.list();
    if (record?.phase !== 'STARTED') throw new Error('no record');
    await whileLeft();
    return { record: record as RunRecord & { phase: 'STARTED' }, records };
  }

  it('adopts a running job, and one that has ended and that Slurm has forgotten', async () => {
    const go = join(await createRoot(), 'go');
    const script = `while ! test -e ${go}; do sleep 0.1; done; echo late; echo 8 > "$SLIPWAY_OUTPUTS/y"`;
    const running = await leftBehind(script);
    writeFileSync(go, '');
    const adopted = await finish(running.record, { runtime: runtime(), records: running.records });
    expect([adopted.outcome, adopted.stdout]).toMatchObject([
      { kind: 'SUCCEEDED', outputs: { y: 8 } },
      'late\n',
    ]);

    const ended = await leftBehind('sleep 0.2; echo 9 > "$SLIPWAY_OUTPUTS/y"', async () => {
      await slurm.untilNoJobs();
    });
    // As after MinJobAge.
    const forgotten = { ...ended.record, handle: { ...ended.record.handle, job: 999_999 } };
    const late = await finish(forgotten, { runtime: runtime(), records: ended.records });
    expect(late.outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 9 } });
  });

  it('finds a job by the id of its run, while it waits and when it runs', async () => {
    const { record, records } = await leftBehind('sleep 1; echo 4 > "$SLIPWAY_OUTPUTS/y"');
    const { spec, inputUris } = record;
    const found = await finish({ spec, inputUris, phase: 'STARTING' }, { runtime: runtime(), records });
    expect(found.outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 4 } });
    expect(await runtime().find(crypto.randomUUID(), never)).not.toBeNull();
  });

  it.each([
    ['cancelled by somebody else', scancel, 'CancelledOutside'],
    ['requeued', requeue, 'Requeued'],
  ] as const)('does not repeat a run that was %s after it had begun', async (_what, change, code) => {
    const note = join(await createRoot(), 'starts');
    let act: Promise<unknown> = Promise.resolve();
    const spec = shell(`echo x >> ${note}; sleep 60`);
    const run = await finish(spec, {
      runtime: runtime(),
      onStarted: () => {
        act = numberOf(spec.runId).then(change);
      },
    });
    await act;
    expect(run.outcome).toMatchObject({ kind: 'LOST', error: { code } });
    await slurm.untilNodesIdle();
    expect(readFileSync(note, 'utf8')).toBe('x\n');
  });

  it('does not repeat a run whose node failed after it had begun', async () => {
    const note = join(await createRoot(), 'starts');
    let act: Promise<unknown> = Promise.resolve();
    const run = await finish(shell(`echo x >> ${note}; sleep 60`, { node: 'n2' }), {
      runtime: runtime(),
      onStarted: () => {
        act = slurm.command('scontrol', 'update', 'nodename=n2', 'state=down', 'reason=test');
      },
    });
    await act;
    expect(run.outcome).toMatchObject({ kind: 'LOST', error: { kind: 'SYSTEM', code: 'NodeFailed' } });
    // A node that answers may be back already, and then Slurm refuses this.
    await slurm.command('scontrol', 'update', 'nodename=n2', 'state=resume').catch(() => {});
    await slurm.untilNodesIdle();
    expect(readFileSync(note, 'utf8')).toBe('x\n');
  });

  it.each([
    ['cancels', async () => '', /did not begin: CANCELLED/],
    ['holds', allowRequeue, /did not begin: launch failed requeued held/],
  ] as const)(
    'returns a run whose job no node could launch, and that Slurm %s',
    async (_what, change, message) => {
      const note = join(await createRoot(), 'starts');
      const spec = shell(`echo x >> ${note}`);
      await setPartition('down');
      const running = finish(spec, { runtime: runtime() });
      const job = await numberOf(spec.runId);
      slurm.breakLaunch(job);
      await change(job);
      await setPartition('up');
      expect((await running).outcome).toMatchObject({
        ...{ kind: 'FAILED', error: { kind: 'SYSTEM', code: 'NotStarted' } },
      });
      const { error } = (await running).outcome as { error: { message: string } };
      expect(error.message).toMatch(message);
      await slurm.untilNoJobs();
      expect(existsSync(note)).toBe(false);
    },
  );

  it('reports how a command ended whose job a slurmctld that was killed holds, and cancels the job', async () => {
    const folder = await createRoot();
    const [go, note] = [join(folder, 'go'), join(folder, 'starts')];
    const records = new RunRecords(await createRoot(), log);
    const leave = new AbortController();
    const spec = shell(
      `echo x >> ${note}; while ! test -e ${go}; do sleep 0.1; done; echo 6 > "$SLIPWAY_OUTPUTS/y"`,
      y,
    );
    await setPartition('down');
    const first = finish(spec, {
      ...{ runtime: runtime(), records, leave: leave.signal },
      onStarted: () => leave.abort(),
    });
    const job = await numberOf(spec.runId);
    await allowRequeue(job);
    await slurm.stopController();
    const before = slurm.writtenJobs();
    slurm.startController();
    await eventually(
      () => setPartition('up').catch(() => null),
      (answer) => answer !== null,
    );
    expect((await first).outcome).toEqual({ kind: 'LEFT' });
    writeFileSync(go, '');
    await slurm.untilNoJobs();
    await slurm.stopController();
    slurm.loseJobsSince(before);
    slurm.breakLaunch(job);
    slurm.startController();
    await untilHeld(job);
    const [record] = records.list();
    if (record === undefined) throw new Error('no record');
    const second = await finish(record, { runtime: runtime(), records });
    expect(second.outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 6 } });
    expect((await slurm.command('squeue', '-h')).trim()).toBe('');
    expect(readFileSync(note, 'utf8')).toBe('x\n');
    await slurm.untilNodesIdle();
  });

  it('cancels a job that Slurm holds and that no run knows, and no other job', async () => {
    const leave = new AbortController();
    const spec = shell(':');
    await setPartition('down');
    const running = finish(spec, {
      ...{ runtime: runtime(), leave: leave.signal },
      onWaiting: () => leave.abort(),
    });
    expect((await running).outcome).toEqual({ kind: 'LEFT' });
    const job = await numberOf(spec.runId);
    slurm.breakLaunch(job);
    await allowRequeue(job);
    await setPartition('up');
    await untilHeld(job);
    const theirs = ['--hold', `--job-name=slipway-${crypto.randomUUID()}`, '--wrap=:', '--output=/dev/null'];
    await slurm.command('sbatch', ...theirs);
    const one = runtime({ sweepMs: 100, orphanMs: 100 });
    await eventually(
      async () => {
        await one.nodes();
        return await slurm.command('squeue', '-h', '-o', '%j');
      },
      (names) => !names.includes(spec.runId),
    );
    expect((await slurm.command('squeue', '-h', '-o', '%j')).trim()).toBe(theirs[1]?.split('=')[1]);
    await slurm.command('scancel', '--user=root');
    await slurm.untilNoJobs();
  });
});
