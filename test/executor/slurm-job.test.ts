/** What we send to Slurm, and how we read its answers, in the forms of all versions of its API. */
import { describe, expect, it } from 'vitest';
import { readAnswer, SlurmError } from '../../src/executor/runtimes/slurm/slurm-client.ts';
import {
  endOf,
  failureOf,
  gpusIn,
  isHeld,
  isInnocent,
  isPending,
  numberOf,
  quoted,
  readJobs,
  readNodes,
  readSubmitted,
  runIdOf,
  type SlurmJob,
  submission,
  whyNever,
} from '../../src/executor/runtimes/slurm/slurm-job.ts';
import { knownVersions, versionsIn } from '../../src/executor/runtimes/slurm/slurm-version.ts';

const one = {
  runId: 'run-1',
  jobId: 'job-1',
  folder: '/shared/work',
  launcher: "/shared/it's/launch",
  said: '/shared/said',
  requests: { cpuMillis: 1500, memoryBytes: 100 * 2 ** 20 + 1, gpus: 2 },
  node: 'n2',
  timeLimitMinutes: 5,
  partition: 'main',
  account: 'physics',
};
const script = `#!/bin/sh\nexec /bin/sh '/shared/it'\\''s/launch'\n`;
const number = (value: number) => ({ set: true, number: value });
const common = {
  name: 'slipway-run-1',
  comment: 'job job-1 of Slipway',
  current_working_directory: '/shared/work',
  standard_input: '/dev/null',
  standard_output: '/dev/null',
  standard_error: '/shared/said',
  tasks: 1,
  cpus_per_task: 2,
  partition: 'main',
  account: 'physics',
};

describe('submission', () => {
  it.each([37, 38])('has plain numbers, a dictionary and nodelist in v0.0.%s', (version) => {
    expect(submission(version, one)).toMatchObject({
      script,
      job: {
        ...common,
        environment: { PATH: expect.any(String) },
        memory_per_node: 101,
        time_limit: 5,
        gres: 'gpu:2',
        nodelist: 'n2',
        no_requeue: true,
      },
    });
    // Slurm 22.05 reads it as true, whatever its value.
    expect(submission(version, one)).not.toHaveProperty('job.requeue');
  });

  it.each([39, 40])('has numbers that are set, and lists, in v0.0.%s', (version) => {
    const newer = {
      environment: [expect.stringMatching(/^PATH=/)],
      memory_per_node: number(101),
      time_limit: number(5),
      requeue: false,
    };
    const job = { ...common, ...newer, tres_per_node: 'gres/gpu:2', required_nodes: ['n2'] };
    expect(submission(version, one)).toMatchObject({ script, job });
  });

  it.each([41, 44])('has the script inside of the job in v0.0.%s', (version) => {
    const body = submission(version, one);
    expect(body).toMatchObject({ job: { ...common, script, requeue: false } });
    expect(body).not.toHaveProperty('job.no_requeue');
    expect(body).not.toHaveProperty('script');
  });

  it('leaves out what is not asked for, and asks for one CPU at least', () => {
    const requests = { cpuMillis: 0, memoryBytes: 0, gpus: 0 };
    const bare = { ...one, requests, node: null, timeLimitMinutes: null, partition: null, account: null };
    for (const version of knownVersions) {
      const { job } = submission(version, bare) as { job: Record<string, unknown> };
      expect(job['cpus_per_task']).toBe(1);
      for (const name of [
        'memory_per_node',
        'time_limit',
        'gres',
        'tres_per_node',
        'nodelist',
        'required_nodes',
        'partition',
        'account',
      ])
        expect(job).not.toHaveProperty(name);
    }
  });

  it('quotes a path for the shell', () => {
    expect(quoted(`a'b "$c"`)).toBe(`'a'\\''b "$c"'`);
  });
});

describe('readJobs', () => {
  const old = {
    ...{ job_id: 5, name: 'slipway-x', job_state: 'RUNNING', state_reason: 'None', restart_cnt: 1 },
    ...{ state_description: 'why', user_name: 'ada', current_working_directory: '/shared/x', nodes: 'n1' },
  };
  it.each([
    ['v0.0.38', old],
    ['v0.0.40', { ...old, job_state: ['RUNNING'], restart_cnt: 1 }],
    ['v0.0.42', { ...old, job_id: number(5), job_state: ['RUNNING'], restart_cnt: number(1) }],
  ])('reads a job of %s', (_version, job) => {
    const read = { id: 5, name: 'slipway-x', states: ['RUNNING'], reason: 'None', restarts: 1 };
    const more = { description: 'why', user: 'ada', folder: '/shared/x', hasNodes: true };
    expect(readJobs({ jobs: [job] })).toEqual([{ ...read, ...more }]);
  });

  it('knows which jobs have no nodes', () => {
    for (const nodes of ['', undefined])
      expect(readJobs({ jobs: [{ ...old, nodes }] })).toMatchObject([{ hasNodes: false }]);
  });

  it.each([
    {},
    { jobs: null },
    { jobs: 'x' },
    {
      jobs: [
        null,
        1,
        'x',
        [],
        {},
        { job_id: 0, job_state: 'RUNNING' },
        { job_id: 5 },
        { job_id: 'x', job_state: 'RUNNING' },
      ],
    },
  ])('reads no job from %j', (answer) => {
    expect(readJobs(answer)).toEqual([]);
  });

  it.each([
    [{ job_id: 7 }, 7],
    [{ job_id: number(7) }, 7],
    [{ result: { job_id: 7 } }, 7],
    [{ job_id: 0 }, null],
    [{ job_id: 'x' }, null],
    [{}, null],
  ])('reads the number of a submitted job from %j', (answer, id) => {
    expect(readSubmitted(answer)).toBe(id);
  });

  it.each([
    [3, 3],
    [number(3), 3],
    [{ set: false, number: 3 }, null],
    [{ set: true, infinite: true, number: 3 }, null],
    ['3', null],
    [2.5, null],
    [null, null],
  ])('reads the number %j as %s', (value, read) => {
    expect(numberOf(value)).toBe(read);
  });
});

const job = (...states: string[]): SlurmJob => ({
  ...{ id: 1, name: '', states, reason: '', description: '', restarts: 0 },
  ...{ user: '', folder: '', hasNodes: false },
});

describe('the state of a job', () => {
  it.each([
    [['PENDING'], null],
    [['RUNNING'], null],
    [['SUSPENDED'], null],
    [['CONFIGURING'], null],
    [['COMPLETED', 'COMPLETING'], null],
    [['NODE_FAIL', 'REQUEUED'], null],
    [['PREEMPTED', 'REQUEUE_HOLD'], null],
    [['A_NEW_ONE'], null],
    [['COMPLETED'], 'COMPLETED'],
    [['CANCELLED'], 'CANCELLED'],
    [['OUT_OF_MEMORY'], 'OUT_OF_MEMORY'],
  ])('%j has ended as %s', (states, end) => {
    expect(endOf(job(...states))).toBe(end);
  });

  it.each([
    ['TIMEOUT', 'DeadlineExceeded', 'USER', false],
    ['DEADLINE', 'DeadlineExceeded', 'USER', true],
    ['OUT_OF_MEMORY', 'OutOfMemory', 'USER', false],
    ['CANCELLED', 'CancelledOutside', 'SYSTEM', true],
    ['REVOKED', 'CancelledOutside', 'SYSTEM', true],
    ['PREEMPTED', 'Preempted', 'SYSTEM', true],
    ['NODE_FAIL', 'NodeFailed', 'SYSTEM', false],
    ['BOOT_FAIL', 'NodeFailed', 'SYSTEM', false],
    ['LAUNCH_FAILED', 'NodeFailed', 'SYSTEM', false],
  ] as const)('%s means %s (%s)', (end, code, kind, innocent) => {
    expect(failureOf(end)).toMatchObject({ code, kind });
    expect(isInnocent(job(end))).toBe(innocent);
  });

  it('says nothing where the command has ended by itself', () => {
    expect([failureOf('COMPLETED'), failureOf('FAILED'), failureOf(null)]).toEqual([null, null, null]);
    expect([isInnocent(job('FAILED')), isInnocent(job('RUNNING'))]).toEqual([false, false]);
  });

  it('is not innocent if the job was cancelled when it had its nodes, as a node does that cannot launch it', () => {
    expect(isInnocent({ ...job('CANCELLED'), hasNodes: true })).toBe(false);
    expect(isInnocent({ ...job('PREEMPTED'), hasNodes: true })).toBe(true);
  });

  /** As Slurm 22.05 says it of a job whose node could not launch it. */
  const failedLaunch = { reason: 'JobHeldUser', description: 'launch failed requeued held' };

  it.each([
    [{ reason: 'BadConstraints' }, 'BadConstraints'],
    [{ reason: 'JobHoldMaxRequeue' }, 'JobHoldMaxRequeue'],
    [failedLaunch, 'launch failed requeued held'],
    [{ ...failedLaunch, reason: 'JobHeldAdmin' }, 'launch failed requeued held'],
    [{ reason: 'launch_failed_requeued_held' }, 'launch_failed_requeued_held'],
    [{ reason: 'Resources' }, null],
    [{ reason: 'JobHeldUser' }, null],
    [{ reason: 'JobHeldAdmin', description: 'job requeued in held state' }, null],
  ])('will never start if it waits with %j: %s', (why, told) => {
    for (const state of ['PENDING', 'SPECIAL_EXIT']) expect(whyNever({ ...job(state), ...why })).toBe(told);
    expect(whyNever({ ...job('RUNNING'), ...why })).toBeNull();
  });

  it.each([
    [failedLaunch, true],
    [{ reason: 'BadConstraints' }, true],
    [{ reason: 'JobHeldUser' }, true],
    [{ reason: 'JobHeldAdmin' }, true],
    [{ reason: 'Resources' }, false],
    [{ reason: 'BeginTime' }, false],
  ])('is held while it waits with %j: %s', (why, held) => {
    expect(isHeld({ ...job('PENDING'), ...why })).toBe(held);
    expect(isHeld({ ...job('CANCELLED'), ...why })).toBe(false);
  });

  it('waits in the queue when nothing of it runs', () => {
    expect(['PENDING', 'SPECIAL_EXIT'].map((state) => isPending(job(state)))).toEqual([true, true]);
    expect(['CONFIGURING', 'RUNNING', 'CANCELLED'].map((state) => isPending(job(state)))).toEqual([
      ...[false, false, false],
    ]);
  });
});

describe('runIdOf', () => {
  it.each([
    ['slipway-run-1', 'run-1'],
    ['slipway-', null],
    ['slipway-../x', null],
    ['slipway-a/b', null],
    ['my-slipway-run-1', null],
    ['wrap', null],
  ])('of %j is %s', (name, runId) => {
    expect(runIdOf(name)).toBe(runId);
  });
});

describe('readNodes', () => {
  const node = {
    name: 'n1',
    cpus: 4,
    real_memory: 2000,
    gres: '',
    state: 'idle',
    state_flags: [],
    partitions: ['main', 'gpu'],
  };
  it('reads what a node has, in old and new forms', () => {
    const read = [{ name: 'n1', allocatable: { cpu: '4', memory: '2000Mi' } }];
    expect(readNodes({ nodes: [node] }, 'main')).toEqual(read);
    expect(readNodes({ nodes: [{ ...node, state: ['IDLE'] }] }, null)).toEqual(read);
    expect(readNodes({ nodes: [{ ...node, gres: 'gpu:a100:2(S:0-1)' }] }, 'gpu')[0]?.allocatable).toEqual({
      cpu: '4',
      memory: '2000Mi',
      'nvidia.com/gpu': '2',
    });
  });

  it.each([
    { ...node, state: 'down' },
    { ...node, state: ['IDLE', 'DRAIN'] },
    { ...node, state_flags: ['NOT_RESPONDING'] },
    { ...node, partitions: ['other'] },
    { ...node, cpus: null },
    { ...node, name: 1 },
    null,
  ])('leaves out %j', (bad) => {
    expect(readNodes({ nodes: [bad] }, 'main')).toEqual([]);
  });

  it.each([
    ['', 0],
    ['gpu', 1],
    ['gpu:2', 2],
    ['gpu:a100:2(S:0-1),gpu:v100:3,license:9', 5],
    ['gpu:a100', 1],
    ['craynetwork:4', 0],
  ])('counts the GPUs in %j', (gres, count) => {
    expect(gpusIn(gres)).toBe(count);
  });
});

describe('readAnswer', () => {
  const answer = (status: number, body: unknown) => ({
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const errors = (error_number: number, description = 'why') => ({
    errors: [{ error_number, description, error: 'x' }],
  });
  const faultOf = (given: { status: number; body: string }) => {
    try {
      readAnswer(given);
      return null;
    } catch (error) {
      return error instanceof SlurmError ? [error.fault, error.message] : error;
    }
  };

  it('is the object of a success', () => {
    expect(readAnswer(answer(200, { jobs: [], errors: [] }))).toEqual({ jobs: [], errors: [] });
    expect(readAnswer(answer(200, { errors: [{ error_number: 0, error: 'No error' }] }))).toBeTruthy();
  });

  it.each([
    ['no such job', answer(500, errors(2017)), 'UNKNOWN_JOB', 'why'],
    ['no such job, with 200', answer(200, errors(2017)), 'UNKNOWN_JOB', 'why'],
    ['a job that is over', answer(500, errors(2021)), 'UNKNOWN_JOB', 'why'],
    ['a wrong token', answer(401, 'Authentication failure'), 'UNAUTHENTICATED', 'Authentication failure'],
    [
      'a wrong token, with 500',
      answer(500, 'Authentication failure'),
      'UNAUTHENTICATED',
      'Authentication failure',
    ],
    ['no such partition', answer(500, errors(2000)), 'REFUSED', 'why'],
    ['a wrong body', answer(400, errors(9202)), 'REFUSED', 'why'],
    [
      'slurmctld is away',
      answer(500, errors(1811, 'Unable to contact slurm controller')),
      'AWAY',
      'Unable to contact slurm controller',
    ],
    ['a proxy', answer(502, '<html>Bad\n gateway</html>'), 'AWAY', '<html>Bad gateway</html>'],
    ['too many calls', answer(429, 'slow down'), 'AWAY', 'slow down'],
    ['no such path', answer(404, 'Unable find requested URL'), 'AWAY', 'Unable find requested URL'],
    ['no JSON', answer(200, 'ok'), 'AWAY', 'ok'],
    ['a list', answer(200, []), 'AWAY', '[]'],
    ['nothing', answer(200, ''), 'AWAY', 'HTTP 200'],
  ])('says of %s what it means', (_what, given, fault, message) => {
    expect(faultOf(given)).toEqual([fault, message]);
  });

  it('shortens a long message', () => {
    const fault = faultOf(answer(500, 'x'.repeat(100_000)));
    expect(Array.isArray(fault) && fault[1]).toHaveLength(500);
  });
});

describe('versionsIn', () => {
  it('finds the versions that can submit jobs', () => {
    const paths = [
      '/slurm/v0.0.38/job/submit',
      '/slurm/v0.0.41/job/submit/',
      '/slurmdb/v0.0.42/jobs',
      '/slurm/v0.0.43/ping',
      '/openapi',
    ];
    expect([...versionsIn(paths)]).toEqual([38, 41]);
  });
});
