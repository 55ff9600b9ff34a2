/** The slurm runtime with a slurmrestd that fails as the test wants. */
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createRunDirectory, removeRunDirectory } from '../../src/executor/host/run-directory.ts';
import type { Work } from '../../src/executor/host/runtime.ts';
import { SlurmClient } from '../../src/executor/runtimes/slurm/slurm-client.ts';
import { SlurmRuntime, type SlurmRuntimeOptions } from '../../src/executor/runtimes/slurm/slurm-runtime.ts';
import { requireSlurmSettings } from '../../src/executor/runtimes/slurm/slurm-settings.ts';
import { chooseVersion } from '../../src/executor/runtimes/slurm/slurm-version.ts';
import { log } from '../../src/platform/log.ts';
import { FakeSlurmrestd } from './fake-slurmrestd.ts';
import { anywhere, createRoot, never, waitUntil } from './fixture.ts';

let fake: FakeSlurmrestd;
let url: string;
let root: string;
beforeEach(async () => {
  fake = new FakeSlurmrestd();
  [url, root] = [await fake.listen(), await createRoot()];
});
afterEach(async () => {
  vi.useRealTimers();
  await fake.close();
});

/** The runtime measures time by a clock that stands still, until the test moves it. */
const stopClock = () => vi.useFakeTimers({ toFake: ['performance'] });

const client = (token: { text: string } | { file: string } = { text: 'secret-token' }) =>
  new SlurmClient({ url, user: 'ada', token });
const runtime = (options: Partial<SlurmRuntimeOptions> = {}) =>
  new SlurmRuntime({
    ...{ client: client(), log, root, partition: 'main', account: null },
    ...{ askMs: 20, shareMs: 100, killWaitMs: 500 },
    ...options,
  });

function work(): Work {
  const runId = crypto.randomUUID();
  return {
    ...{ runId, jobId: 'job', words: ['true'], environment: { PATH: '/bin' }, node: null },
    container: { image: 'none', command: ['true'], args: [], resources: { requests: [], limits: [] } },
    ...{ placing: anywhere, hasFiles: false },
    directory: createRunDirectory(root, runId),
    requests: { cpuMillis: 0, memoryBytes: 0, gpus: 0 },
    ...{ timeoutSeconds: 90, terminationGraceSeconds: 0, logLimitBytes: 100 },
  };
}

/** As Slurm 22.05 says it of a job that a node could not launch. */
const failedLaunch = {
  ...{ job_state: 'PENDING', state_reason: 'JobHeldUser', restart_cnt: 1 },
  state_description: 'launch failed requeued held',
};

/** What a job writes when it begins, and when its command has ended. */
const begin = ({ directory }: Work, job = 1, restarts = 0) => {
  writeFileSync(join(directory.control, 'gate'), `5 ${job} ${restarts}\n`);
  writeFileSync(join(directory.control, 'leader'), '6\n');
};
const end = ({ directory }: Work, exit = '0 exit') => {
  writeFileSync(join(directory.control, 'exit'), `${exit}\n`);
  writeFileSync(join(directory.control, 'done'), 'done\n');
};
const attach = (one: SlurmRuntime, handle: { runId: string; job: number }, signal = never) => {
  const [begun, waits]: [Date[], string[]] = [[], []];
  const onWaiting = () => waits.push('waits');
  return { begun, waits, ended: one.attach(handle, { signal, onWaiting, onBegun: (at) => begun.push(at) }) };
};

describe('the version of the API', () => {
  it.each([
    [[37, 38], 38],
    [[38, 39, 40, 41], 41],
    [[44, 45, 46], 44],
  ])('is the newest of %j that we know', async (versions, chosen) => {
    fake.versions = versions;
    expect(await chooseVersion(client())).toBe(chosen);
  });

  it('is the first that answers, if there is no description', async () => {
    fake.intercept = ({ path }) => (path.startsWith('/openapi') ? { status: 404, body: '' } : null);
    fake.versions = [38, 40];
    expect(await chooseVersion(client())).toBe(40);
    expect(fake.to('GET', '/ping').map(({ path }) => path)[0]).toContain('v0.0.44');
  });

  it('is refused if there is none that we know, and asked again if nobody answers', async () => {
    fake.versions = [30];
    await expect(chooseVersion(client())).rejects.toMatchObject({ fault: 'REFUSED' });
    fake.versions = null;
    await expect(chooseVersion(client())).rejects.toMatchObject({ fault: 'AWAY' });
  });
});

describe('SlurmClient', () => {
  it('sends the user and the token, and reads a file again when it has changed', async () => {
    const file = join(root, 'token');
    writeFileSync(file, 'SLURM_JWT=first\n');
    const one = client({ file });
    await one.ask('GET', '/slurm/v0.0.38/ping');
    writeFileSync(file, 'second');
    utimesSync(file, 1, 2);
    await one.ask('GET', '/slurm/v0.0.38/ping');
    expect(fake.calls.map(({ token }) => token)).toEqual(['first', 'second']);
    writeFileSync(file, 'two words\n');
    await expect(one.ask('GET', '/')).rejects.toMatchObject({ fault: 'UNAUTHENTICATED' });
  });

  it('speaks over a unix socket', async () => {
    const other = new FakeSlurmrestd();
    url = await other.listen(join(root, 'socket'));
    expect(await client().ask('GET', '/slurm/v0.0.38/ping')).toMatchObject({ pings: [] });
    await other.close();
  });

  it('is AWAY if nobody listens, or if the connection breaks', async () => {
    fake.intercept = () => 'drop';
    await expect(client().ask('GET', '/')).rejects.toMatchObject({ fault: 'AWAY' });
    url = 'http://127.0.0.1:1';
    await expect(client().ask('GET', '/')).rejects.toMatchObject({ fault: 'AWAY' });
  });
});

describe('start', () => {
  it('submits once, although the answer was lost', async () => {
    let isDropped = false;
    fake.intercept = ({ path }) => {
      if (isDropped || !path.endsWith('/submit')) return null;
      isDropped = true;
      return 'drop';
    };
    const one = work();
    expect(await runtime().start(one, never)).toEqual({ runId: one.runId, job: 1 });
    expect(fake.jobs.size).toBe(1);
  });

  it('keeps words and variables out of the submission', async () => {
    await runtime().start(
      { ...work(), words: ['run', 'my-secret'], environment: { KEY: 'my-secret' } },
      never,
    );
    const [call] = fake.to('POST', '/submit');
    expect(call?.body).not.toContain('my-secret');
    expect(JSON.parse(call?.body ?? '').job).toMatchObject({ time_limit: 3, partition: 'main' });
  });

  it('tries again while Slurm is away or the token is wrong', async () => {
    const faults = [{ status: 500, body: 'Authentication failure' }, { status: 503, body: '' }, null];
    fake.intercept = ({ path }) => (path.endsWith('/submit') ? (faults.shift() ?? null) : null);
    expect(await runtime().start(work(), never)).toMatchObject({ job: 1 });
  });

  it('fails if Slurm refuses the job, which then cannot begin', async () => {
    const body = JSON.stringify({ errors: [{ error_number: 2000, description: 'no such partition' }] });
    fake.intercept = ({ path }) => (path.endsWith('/submit') ? { status: 500, body } : null);
    const one = work();
    await expect(runtime().start(one, never)).rejects.toMatchObject({
      ...{ code: 'SlurmRefused', kind: 'SYSTEM', message: 'Slurm refused the job: no such partition' },
    });
    expect(existsSync(join(one.directory.control, 'gate'))).toBe(true);
  });

  it('can be stopped while Slurm is away; if the job has begun nevertheless, there is a handle', async () => {
    fake.intercept = () => 'drop';
    const [one, other, stop] = [work(), work(), new AbortController()];
    const starts = [runtime().start(one, stop.signal), runtime().start(other, stop.signal)];
    await waitUntil(() => fake.calls.length > 3, 'it had tried');
    begin(other, 8);
    stop.abort();
    await expect(starts[0]).rejects.toThrow();
    expect(await starts[1]).toEqual({ runId: other.runId, job: 8 });
  });
});

describe('find', () => {
  it('finds a job by its gate, or by its name, or makes sure that it never begins', async () => {
    const [begun, waiting, none] = [work(), work(), work()];
    begin(begun, 9);
    const one = runtime();
    await one.start(waiting, never);
    expect(await one.find(begun.runId, never)).toEqual({ runId: begun.runId, job: 9 });
    expect(await one.find(waiting.runId, never)).toEqual({ runId: waiting.runId, job: 1 });
    expect(await one.find(none.runId, never)).toBeNull();
    expect(existsSync(join(none.directory.control, 'gate'))).toBe(true);
  });

  it('gives up at its signal, and then the job never begins', async () => {
    fake.intercept = () => 'drop';
    const [one, stop] = [work(), new AbortController()];
    const found = runtime().find(one.runId, stop.signal);
    await waitUntil(() => fake.calls.length > 0, 'it had asked');
    stop.abort();
    expect(await found).toBeNull();
  });
});

describe('attach and collect', () => {
  async function started() {
    const [one, made] = [runtime(), work()];
    const handle = (await one.start(made, never)) as { runId: string; job: number };
    const job = fake.jobs.get(1);
    if (!job) throw new Error('no job');
    return { one, made, handle, job };
  }

  it('ends with the command, and says once that it has begun', async () => {
    const { one, made, handle } = await started();
    const { begun, ended } = attach(one, handle);
    begin(made);
    await waitUntil(() => begun.length === 1, 'it had begun');
    end(made, '3 exit');
    await ended;
    expect(begun).toHaveLength(1);
    expect(await one.cancel(handle, 0)).toEqual({ isGone: true });
    expect(await one.collect(handle)).toEqual({ kind: 'EXITED', exit: { code: 3, signal: null } });
    expect(fake.to('DELETE', '')).toEqual([]);
  });

  it('says once that the job waits in the queue of Slurm, and not before Slurm has said so', async () => {
    const { one, made, handle, job } = await started();
    const asked = () => fake.to('GET', '/job/1').length;
    job.job_state = 'COMPLETING';
    const { waits, begun, ended } = attach(one, handle);
    await waitUntil(() => asked() > 1, 'it had asked');
    expect(waits).toEqual([]);
    job.job_state = 'PENDING';
    const before = asked();
    await waitUntil(() => asked() > before + 3, 'it had asked again');
    expect(waits).toEqual(['waits']);
    begin(made);
    await waitUntil(() => begun.length === 1, 'it had begun');
    end(made);
    await ended;
    expect(waits).toEqual(['waits']);
  });

  it('does not say that a job waits whose command has begun', async () => {
    const { one, made, handle } = await started();
    begin(made);
    const { waits, ended } = attach(one, handle);
    await waitUntil(() => fake.to('GET', '/job/1').length > 2, 'it had asked');
    end(made);
    await ended;
    expect(waits).toEqual([]);
  });

  it('goes on while Slurm is away, answers garbage or refuses the token', async () => {
    const { one, made, handle } = await started();
    begin(made);
    const garbage = [
      '<html>',
      '[]',
      '{"jobs":7}',
      '{"jobs":[{"job_id":1,"job_state":"RUNNING"}]}',
      '{"errors":[7]}',
    ];
    let asked = 0;
    fake.intercept = ({ path }) => {
      if (!path.includes('/job/')) return null;
      asked += 1;
      return asked % 2 === 0
        ? { status: 401, body: '' }
        : { status: 502, body: garbage[asked % garbage.length] ?? '' };
    };
    const { ended } = attach(one, handle);
    await waitUntil(() => asked > 6, 'it had asked');
    end(made);
    await ended;
    expect(await one.collect(handle)).toMatchObject({ kind: 'EXITED' });
  });

  it.each([
    ['NODE_FAIL', { kind: 'FAILED', failure: { code: 'NodeFailed', kind: 'SYSTEM' } }],
    ['PREEMPTED', { kind: 'FAILED', failure: { code: 'Preempted' } }],
    ['OUT_OF_MEMORY', { kind: 'FAILED', failure: { code: 'OutOfMemory', kind: 'USER' } }],
    ['COMPLETED', { kind: 'FAILED', failure: { code: 'RunLost' } }],
    ['gone', { kind: 'FAILED', failure: { code: 'RunLost' } }],
  ])('is lost if it had begun and the job is %s', async (state, collected) => {
    const { one, made, handle, job } = await started();
    begin(made);
    if (state === 'gone') fake.jobs.clear();
    else job.job_state = state;
    await attach(one, handle).ended;
    expect(await one.collect(handle)).toMatchObject(collected);
  });

  it('believes Slurm more than a signal, and a signal more than nothing', async () => {
    for (const [state, collected] of [
      ['TIMEOUT', { kind: 'FAILED', failure: { code: 'DeadlineExceeded' } }],
      ['FAILED', { kind: 'EXITED', exit: { signal: 'SIGTERM' } }],
    ] as const) {
      fake.jobs.clear();
      const { one, made, handle, job } = await started();
      begin(made);
      end(made, '143 signal');
      job.job_state = state;
      expect(await one.collect(handle)).toMatchObject(collected);
    }
  });

  it('is lost if Slurm has requeued it after it had begun, and the new job is deleted', async () => {
    const { one, made, handle, job } = await started();
    begin(made);
    Object.assign(job, { job_state: 'PENDING', restart_cnt: 1 });
    await attach(one, handle).ended;
    expect(await one.collect(handle)).toMatchObject({ kind: 'FAILED', failure: { code: 'Requeued' } });
    expect(job.job_state).toBe('CANCELLED');
  });

  it('goes on if Slurm has requeued it before it had begun', async () => {
    const { one, made, handle, job } = await started();
    Object.assign(job, { job_state: 'PENDING', restart_cnt: 1 });
    const { begun, ended } = attach(one, handle);
    begin(made, 1, 1);
    await waitUntil(() => begun.length === 1, 'it had begun');
    end(made);
    await ended;
    expect(await one.collect(handle)).toMatchObject({ kind: 'EXITED' });
  });

  it('follows the job that has opened the gate, if the run was submitted twice', async () => {
    const { one, made, handle, job } = await started();
    fake.jobs.set(2, { ...job, job_id: 2, job_state: 'RUNNING' });
    job.job_state = 'COMPLETED';
    begin(made, 2);
    const { begun, ended } = attach(one, handle);
    await waitUntil(() => fake.to('GET', '/job/2').length > 1, 'it asked about the other job');
    expect(begun).toHaveLength(1);
    end(made);
    await ended;
  });

  it.each([
    [{ job_state: 'CANCELLED' }, false],
    [{ job_state: 'CANCELLED', nodes: 'n1' }, true],
    [{ job_state: 'NODE_FAIL' }, true],
    [{ job_state: 'FAILED', state_reason: 'NonZeroExitCode' }, true],
    [{ job_state: 'PENDING', state_reason: 'BadConstraints' }, true],
    [failedLaunch, true],
    [{ ...failedLaunch, state_reason: 'JobHeldAdmin' }, true],
  ])('has not begun if the job is %j before; that is a fault: %s', async (is, isFault) => {
    const { one, handle, job } = await started();
    Object.assign(job, is);
    await attach(one, handle).ended;
    expect(await one.cancel(handle, 0)).toEqual({ isGone: true });
    expect(await one.collect(handle)).toMatchObject({ kind: 'NOT_BEGUN', isFault });
  });

  it('closes the gate and cancels the job if Slurm holds it after a failed launch, and says why', async () => {
    const { one, made, handle, job } = await started();
    Object.assign(job, failedLaunch);
    await attach(one, handle).ended;
    await one.cancel(handle, 0);
    expect(await one.collect(handle)).toMatchObject({
      ...{ kind: 'NOT_BEGUN', reason: expect.stringContaining('launch failed requeued held') },
    });
    expect(job.job_state).toBe('CANCELLED');
    expect(readFileSync(join(made.directory.control, 'gate'), 'utf8')).toBe('closed\n');
  });

  it('waits while a person holds the job', async () => {
    const { one, made, handle, job } = await started();
    Object.assign(job, { state_reason: 'JobHeldUser' });
    const { begun, ended } = attach(one, handle);
    await waitUntil(() => fake.to('GET', '/job/1').length > 2, 'it had asked');
    job.job_state = 'RUNNING';
    begin(made);
    await waitUntil(() => begun.length === 1, 'it had begun');
    end(made);
    await ended;
    expect(fake.to('DELETE', '')).toEqual([]);
  });

  it.each([
    ['held after a failed launch', failedLaunch],
    ['back in the queue', { job_state: 'PENDING', state_reason: 'BeginTime', restart_cnt: 1 }],
  ])('cancels a job that is %s although its command has ended, and the end counts', async (_what, is) => {
    const { one, made, handle, job } = await started();
    begin(made);
    end(made, '3 exit');
    Object.assign(job, is);
    await attach(one, handle).ended;
    expect(await one.cancel(handle, 0)).toEqual({ isGone: true });
    expect(await one.collect(handle)).toEqual({ kind: 'EXITED', exit: { code: 3, signal: null } });
    await one.forget(handle);
    expect(job.job_state).toBe('CANCELLED');
  });

  it('forgets a run without touching a job that runs, and although Slurm is away', async () => {
    const { one, made, handle, job } = await started();
    begin(made);
    end(made);
    job.job_state = 'RUNNING';
    await one.forget(handle);
    fake.intercept = () => 'drop';
    await one.forget(handle);
    expect(fake.to('DELETE', '')).toEqual([]);
  });

  it('is gone, and nobody else is cancelled, if its number belongs to another job', async () => {
    const { one, made, handle, job } = await started();
    begin(made);
    Object.assign(job, { name: 'another', job_state: 'RUNNING' });
    await attach(one, handle).ended;
    expect(await one.cancel(handle, 0)).toEqual({ isGone: true });
    expect(await one.collect(handle)).toMatchObject({ kind: 'FAILED', failure: { code: 'RunLost' } });
    expect([fake.to('DELETE', ''), job.job_state]).toEqual([[], 'RUNNING']);
  });

  it('cannot be cancelled while slurmctld is away, and says so', async () => {
    const { one, made, handle } = await started();
    begin(made);
    fake.intercept = () => 'drop';
    expect(await one.cancel(handle, 0)).toMatchObject({ isGone: false });
    fake.intercept = () => null;
    expect(await one.cancel(handle, 0)).toEqual({ isGone: true });
    expect(fake.to('DELETE', '?signal=SIGKILL').length).toBeGreaterThan(0);
  });
});

describe('nodes', () => {
  it('are those that Slurm named last, while it is away', async () => {
    const one = runtime();
    const named = [{ name: 'n1', allocatable: { cpu: '4', memory: '10Mi' } }];
    expect(await one.nodes()).toEqual(named);
    fake.intercept = () => 'drop';
    expect(await one.nodes()).toEqual(named);
    expect(fake.to('GET', '/nodes')).toHaveLength(1);
  });

  it('are asked for again a minute later, or five seconds later if Slurm did not tell them', async () => {
    stopClock();
    const warnings = vi.spyOn(log, 'warn');
    onTestFinished(() => warnings.mockRestore());
    const one = runtime({ askMs: undefined });
    const asked = () => fake.to('GET', '/nodes').length;
    /** When this has asked, no earlier question of `one` is on its way. */
    const askByAnother = () => runtime().nodes();
    await one.nodes();
    vi.advanceTimersByTime(60_000);
    await one.nodes();
    await askByAnother();
    expect(asked()).toBe(2);
    fake.intercept = ({ path }) => (path.endsWith('/nodes') ? 'drop' : null);
    vi.advanceTimersByTime(1);
    await one.nodes();
    await waitUntil(
      () => warnings.mock.calls.some(([, text]) => text === 'Slurm does not tell its nodes'),
      'Slurm did not tell its nodes',
    );
    fake.intercept = () => null;
    vi.advanceTimersByTime(5000);
    await one.nodes();
    await askByAnother();
    expect(asked()).toBe(4);
    vi.advanceTimersByTime(1);
    await one.nodes();
    await waitUntil(() => asked() === 5, 'Slurm was asked again');
  });
});

describe('the sweep', () => {
  /** Looks at the jobs now, and returns when it has done so twice. */
  async function sweep(options: Partial<SlurmRuntimeOptions> = {}, one = runtime({ ...times, ...options })) {
    const before = looks();
    await waitUntil(async () => {
      await one.nodes();
      return looks() > before + 2;
    }, 'it had looked');
    return one;
  }
  const times = { sweepMs: 5, orphanMs: 5 };
  const looks = () => fake.to('GET', '/jobs').length;
  const states = () => [...fake.jobs.values()].map((job) => job.job_state);

  /** A job that an executor has submitted that is gone. */
  async function left(is: object = {}) {
    const made = work();
    const handle = await runtime().start(made, never);
    const job = fake.jobs.get(Number(handle['job']));
    if (!job) throw new Error('no job');
    Object.assign(job, is);
    return { made, job, handle };
  }
  const forgotten = async (is: object = {}) => {
    const one = await left(is);
    await removeRunDirectory(root, one.made.runId, false);
    return one;
  };

  it('cancels a held job of a run that nobody has, and its command cannot begin', async () => {
    const { made } = await left(failedLaunch);
    await sweep();
    expect(states()).toEqual(['CANCELLED']);
    expect(readFileSync(join(made.directory.control, 'gate'), 'utf8')).toBe('closed\n');
  });

  it.each([
    ['held', { state_reason: 'JobHeldAdmin' }],
    ['that no node can run', { state_reason: 'BadConstraints' }],
    ['that waits', {}],
  ])('cancels a job %s whose run is forgotten', async (_what, is) => {
    await forgotten(is);
    await sweep();
    expect(states()).toEqual(['CANCELLED']);
  });

  it('cancels a job that waits although its command has ended', async () => {
    const { made } = await left();
    end(made);
    await sweep();
    expect(states()).toEqual(['CANCELLED']);
  });

  it('leaves jobs alone that run, that may still begin, or that this executor has', async () => {
    await forgotten({ job_state: 'RUNNING' });
    await left();
    const one = runtime(times);
    await one.start(work(), never);
    Object.assign(fake.jobs.get(3) ?? {}, failedLaunch);
    const [followed, found] = [await left(failedLaunch), await left(failedLaunch)];
    await attach(one, followed.handle as { runId: string; job: number }).ended;
    await one.find(found.made.runId, never);
    await sweep({}, one);
    expect(states()).toEqual(['RUNNING', 'PENDING', 'PENDING', 'PENDING', 'PENDING']);
  });

  it('cancels it when this executor has it no more', async () => {
    const [one, ended, refused] = [runtime(times), work(), work()];
    const handle = await one.start(ended, never);
    Object.assign(fake.jobs.get(1) ?? {}, { job_state: 'RUNNING' });
    await one.forget(handle);
    const body = JSON.stringify({ errors: [{ error_number: 2000, description: 'no such partition' }] });
    fake.intercept = ({ path }) => (path.endsWith('/submit') ? { status: 500, body } : null);
    await expect(one.start(refused, never)).rejects.toThrow();
    const unknown = work();
    expect(await one.find(unknown.runId, never)).toBeNull();
    // What it had not submitted, Slurm can nevertheless have: the answer was lost.
    for (const [job_id, { runId, directory }] of [ended, refused, unknown].entries())
      fake.jobs.set(job_id + 1, {
        ...{ job_id: job_id + 1, name: `slipway-${runId}`, user_name: 'ada', nodes: '' },
        ...{ ...failedLaunch, current_working_directory: directory.work },
      });
    await sweep({}, one);
    expect(states()).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']);
  });

  it.each([
    ['has another name', { name: 'slipway' }],
    ['belongs to another user', { user_name: 'bob' }],
    ['is in the folder of another executor', { current_working_directory: '/shared/other/run/work' }],
  ])('leaves a held job alone that %s', async (_what, is) => {
    await forgotten({ ...failedLaunch, ...is });
    await sweep();
    expect(states()).toEqual(['PENDING']);
  });

  it('leaves a job alone that has been seen for a short time only', async () => {
    await forgotten(failedLaunch);
    await sweep({ orphanMs: 60_000 });
    expect(states()).toEqual(['PENDING']);
  });

  it('looks no more often than it may', async () => {
    const one = runtime();
    for (let count = 0; count < 5; count += 1) await one.nodes();
    await waitUntil(() => looks() > 0, 'it had looked');
    await runtime().nodes();
    for (let count = 0; count < 5; count += 1) await one.nodes();
    await waitUntil(() => looks() > 1, 'the other had looked');
    expect(looks()).toBe(2);
  });

  it('looks every five minutes', async () => {
    stopClock();
    const one = runtime();
    /** When this has looked, no earlier look of `one` is on its way. */
    const lookOfAnother = async () => {
      const before = looks();
      await runtime().nodes();
      await waitUntil(() => looks() > before, 'another had looked');
    };
    await one.nodes();
    await waitUntil(() => looks() === 1, 'it had looked');
    await lookOfAnother();
    vi.advanceTimersByTime(5 * 60_000 - 1);
    await one.nodes();
    await lookOfAnother();
    expect(looks()).toBe(3);
    vi.advanceTimersByTime(1);
    await one.nodes();
    await waitUntil(() => looks() === 4, 'it had looked again');
  });

  it('cancels a job that it has seen for a minute', async () => {
    await forgotten(failedLaunch);
    stopClock();
    const one = runtime({ sweepMs: 0 });
    await sweep({}, one);
    vi.advanceTimersByTime(60_000 - 1);
    await sweep({}, one);
    expect(states()).toEqual(['PENDING']);
    vi.advanceTimersByTime(1);
    await sweep({}, one);
    expect(states()).toEqual(['CANCELLED']);
  });

  it('cancels the others if Slurm refuses one, and looks again after it was away', async () => {
    await forgotten(failedLaunch);
    await forgotten(failedLaunch);
    const body = JSON.stringify({ errors: [{ error_number: 2002, description: 'access denied' }] });
    fake.intercept = ({ method, path }) =>
      method === 'DELETE' && path.endsWith('/job/1') ? { status: 500, body } : null;
    const one = await sweep();
    expect(states()).toEqual(['PENDING', 'CANCELLED']);
    fake.intercept = () => 'drop';
    await sweep({}, one);
    fake.intercept = () => null;
    await sweep({}, one);
    expect(states()).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it('asks again before it cancels, because a job may have begun and its number may be another one', async () => {
    const [first, second] = [await forgotten(failedLaunch), await forgotten(failedLaunch)];
    const list = JSON.stringify({ jobs: [{ ...first.job }, { ...second.job }] });
    Object.assign(first.job, {
      ...{ name: 'slipway-new', current_working_directory: join(root, 'new', 'work') },
    });
    second.job.job_state = 'RUNNING';
    fake.intercept = ({ path }) => (path.endsWith('/jobs') ? { status: 200, body: list } : null);
    await sweep();
    expect(fake.to('GET', '/job/1').length).toBeGreaterThan(0);
    expect([fake.to('DELETE', ''), states()]).toEqual([[], ['PENDING', 'RUNNING']]);
  });

  it('cancels at most a hundred at a time', async () => {
    const { job } = await forgotten(failedLaunch);
    for (let id = 2; id <= 150; id += 1)
      fake.jobs.set(id, {
        ...{ ...job, job_id: id, name: `slipway-r${id}` },
        current_working_directory: join(root, `r${id}`, 'work'),
      });
    const counts: number[] = [];
    fake.intercept = ({ path }) => {
      if (path.endsWith('/jobs')) counts.push(fake.to('DELETE', '').length);
      return null;
    };
    await sweep();
    expect(counts.slice(0, 3)).toEqual([0, 0, 100]);
    await waitUntil(async () => states().every((state) => state === 'CANCELLED'), 'all were cancelled');
  });
});

describe('requireSlurmSettings', () => {
  const given = () => ({ url, user: 'ada', token: 'x', tokenFile: undefined, sharedDir: root });

  it('takes a token, or a file with one', () => {
    const file = join(root, 'token');
    writeFileSync(file, 'SLURM_JWT=abc');
    expect(requireSlurmSettings({ ...given(), token: 'SLURM_JWT=abc' }).address.token).toEqual({
      text: 'abc',
    });
    expect(requireSlurmSettings({ ...given(), token: undefined, tokenFile: file }).address.token).toEqual({
      file,
    });
  });

  it.each([
    [
      { url: undefined, user: undefined, sharedDir: undefined, token: undefined },
      /SLURM_URL is.*SLURM_USER is.*SLURM_SHARED_DIR is.*SLURM_TOKEN_FILE is/s,
    ],
    [{ tokenFile: '/no/file' }, /cannot be set together.*SLURM_TOKEN_FILE: cannot read \/no\/file/s],
    [{ sharedDir: '/no/folder' }, /SLURM_SHARED_DIR: the executor cannot write to \/no\/folder/],
  ])('names everything that is missing or wrong: %j', (change, message) => {
    expect(() => requireSlurmSettings({ ...given(), ...change })).toThrow(message);
  });
});
