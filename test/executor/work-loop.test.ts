import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RunError } from '../../src/executor/host/run-error.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { type ExecutorOptions, startExecutor, type TestExecutor } from '../support/executor.ts';
import {
  createLaunchPlan,
  createWorkflow,
  domain,
  eventually,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  type TaskOptions,
  untilEnded,
} from '../support/seed.ts';
import { startWire, type Wire } from '../support/wire.ts';
import { isAlive } from './fixture.ts';
import { PlayedRuntime } from './played.ts';

/** A real server, scheduler and executor; commands are small shell scripts. */

const project = 'work-loop';
const text = { simple: 'STRING' };
const file = { blob: { format: '', dimensionality: 'SINGLE' } };

// Some tests wait until a lease has expired.
vi.hoisted(() => {
  process.env['LEASE_SECONDS'] = '5';
});

let app: App;
let scratch: string;
const executors: TestExecutor[] = [];
const wires: Wire[] = [];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'slipway-work-loop-'));
  app = await startApp();
  await registerProject(app, project);
});
afterEach(async () => {
  await Promise.all(executors.splice(0).map((executor) => executor.stop()));
  for (const wire of wires.splice(0)) await wire.close();
});
afterAll(async () => {
  await app.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function executor(options?: ExecutorOptions): Promise<TestExecutor> {
  const started = await startExecutor(app, options);
  executors.push(started);
  return started;
}

async function wireToServer(): Promise<Wire> {
  const wire = await startWire(app.url);
  wires.push(wire);
  return wire;
}

interface Step extends TaskOptions {
  readonly script: string;
  /** The node and the output of each input. */
  readonly from?: Readonly<Record<string, readonly [node: string, output: string]>>;
}

/** Registers a workflow whose nodes run these scripts, and launches it. @returns the id of the execution. */
async function launchSteps(name: string, steps: Readonly<Record<string, Step>>): Promise<string> {
  for (const [node, { script, ...options }] of Object.entries(steps)) {
    const command = ['/bin/sh', '-c', script];
    await registerTask(app, project, `${name}.${node}`, { inputs: {}, outputs: {}, ...options, command });
  }
  const nodes = Object.entries(steps).map(([id, { from = {} }]) => ({
    id,
    inputs: Object.entries(from).map(([variable, [nodeId, output]]) => ({
      var: variable,
      binding: { promise: { nodeId, var: output } },
    })),
    taskNode: { referenceId: keyOf(project, `${name}.${id}`) },
  }));
  const template = { interface: { inputs: [], outputs: [] }, nodes, outputs: [] };
  const workflow = await createWorkflow(app, { key: keyOf(project, name), template });
  expect(workflow).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key: keyOf(project, name), workflow: { key: keyOf(project, name) } });
  return await launch(app, project, name);
}

/** The attempts of a node, oldest first. */
const attemptsOf = (execution: Answer, node: string): Answer[] =>
  execution.nodes[node].taskExecutions.edges.map((edge: Answer) => edge.node).reverse();

const jobOf = (execution: Answer, node: string, attempt = 0) => attemptsOf(execution, node)[attempt].job;

async function logOf(runId: string): Promise<string> {
  const { data } = await app.ask('query ($id: ID!) { jobRun(by: { id: $id }) { log { stream text } } }', {
    id: runId,
  });
  return data.jobRun.log.map(({ stream, text }: Answer) => `${stream}: ${text}`).join('');
}

/** Waits until a script has written the file. @returns the content. */
async function written(path: string): Promise<string> {
  await eventually(
    async () => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'),
    (is) => is,
  );
  return readFileSync(path, 'utf8').trim();
}

describe('the work loop', () => {
  it('runs a workflow that passes a file from one node to the next', async () => {
    const id = await launchSteps('files', {
      make: {
        outputs: { table: file },
        script: 'printf "a,b\\n1,2\\n" > "$SLIPWAY_OUTPUTS/table"; echo made',
      },
      count: {
        inputs: { table: file },
        outputs: { lines: integer, text },
        from: { table: ['make', 'table'] },
        script:
          'wc -l < "$SLIPWAY_INPUTS/table" > "$SLIPWAY_OUTPUTS/lines"; cp "$SLIPWAY_INPUTS/table" "$SLIPWAY_OUTPUTS/text"',
      },
    });
    await executor();
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('SUCCEEDED');
    expect(execution.nodes.make.data.outputs.table).toMatch(/^slipway:\/\/blobs\//);
    expect(execution.nodes.count.data.outputs).toEqual({ lines: 2, text: 'a,b\n1,2' });
    expect(await logOf(jobOf(execution, 'make').runs[0].id)).toBe('STDOUT: made\n');
  });

  it('passes the variants of unions on, and never takes a string for a file', async () => {
    const number = { unionType: { variants: [integer, { simple: 'FLOAT' }] } };
    const word = { unionType: { variants: [text, file] } };
    const signature = { inputs: { number, word }, outputs: { number, word } };
    const id = await launchSteps('variants', {
      make: {
        outputs: { number, word },
        script: `echo '{"number": {"scalar": {"primitive": {"floatValue": 3}}},
          "word": {"scalar": {"primitive": {"stringValue": "slipway://blobs/nosuch"}}}}' > "$SLIPWAY_OUTPUTS/literals.json"`,
      },
      echo: {
        ...signature,
        from: { number: ['make', 'number'], word: ['make', 'word'] },
        script: 'cp "$SLIPWAY_INPUTS/literals.json" "$SLIPWAY_OUTPUTS/literals.json"',
      },
      plain: {
        ...signature,
        from: { number: ['make', 'number'], word: ['make', 'word'] },
        script: 'cp "$SLIPWAY_INPUTS/inputs.json" "$SLIPWAY_OUTPUTS/outputs.json"',
      },
    });
    await executor();
    const execution = await untilEnded(app, id);
    expect(execution.nodes.plain.error).toMatchObject({
      code: 'OutputsInvalid',
      // Nodes in lists have the beginning of the message.
      message: expect.stringMatching(/^number: the value fits both integer and float/),
    });
    const literals = async (node: string) => {
      const { name } = (await app.ask('query ($id: ID!) { execution(by: { id: $id }) { name } }', { id }))
        .data.execution;
      const key = { project, domain, execution: name, nodeId: node };
      const { data } = await app.ask(
        'query ($by: NodeExecutionByInput!) { nodeExecution(by: $by) { data { outputLiterals } } }',
        { by: { key } },
      );
      return data.nodeExecution.data.outputLiterals;
    };
    const value = { primitive: { floatValue: 3 } };
    expect(await literals('echo')).toMatchObject({
      number: { scalar: { union: { type: { simple: 'FLOAT' }, value: { scalar: value } } } },
      word: { scalar: { union: { type: text } } },
    });
    expect(await literals('echo')).toEqual(await literals('make'));
  });

  it('passes an empty file and a file of some megabytes', async () => {
    const id = await launchSteps('sizes', {
      make: {
        outputs: { none: file, large: file },
        script: ': > "$SLIPWAY_OUTPUTS/none"; head -c 5000000 /dev/urandom > "$SLIPWAY_OUTPUTS/large"',
      },
      count: {
        inputs: { none: file, large: file },
        outputs: { sizes: text },
        from: { none: ['make', 'none'], large: ['make', 'large'] },
        script: 'cd "$SLIPWAY_INPUTS"; stat -c %s none large | tr "\\n" " " > "$SLIPWAY_OUTPUTS/sizes"',
      },
    });
    await executor();
    const execution = await untilEnded(app, id);
    expect(execution.nodes.count.data.outputs).toEqual({ sizes: '0 5000000 ' });
  });

  it('reports failures of kind USER, which use the retries of the task', async () => {
    const id = await launchSteps('flaky', {
      flaky: {
        retries: 2,
        outputs: { y: integer },
        script:
          'test "$SLIPWAY_ATTEMPT" = 2 || { echo "not yet" >&2; exit 3; }; echo 7 > "$SLIPWAY_OUTPUTS/y"',
      },
    });
    await executor();
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('SUCCEEDED');
    const attempts = attemptsOf(execution, 'flaky');
    expect(attempts.map((attempt) => attempt.phase)).toEqual([
      'RETRYABLE_FAILED',
      'RETRYABLE_FAILED',
      'SUCCEEDED',
    ]);
    expect(attempts[0].error).toEqual({ code: 'NonZeroExit', message: 'not yet', kind: 'USER' });
    expect(await logOf(attempts[0].job.runs[0].id)).toBe('STDERR: not yet\n');
  });

  it('ends a command that runs longer than its timeout', async () => {
    const id = await launchSteps('slow', { slow: { timeout: 'PT0.5S', script: 'sleep 300' } });
    await executor();
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('FAILED');
    expect(execution.nodes.slow.error.code).toBe('DeadlineExceeded');
  });

  const terminate = (id: string) =>
    app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );

  it('kills the whole group when the execution is terminated', async () => {
    const note = join(scratch, 'terminated');
    const id = await launchSteps('terminated', {
      long: { script: `sleep 300 & echo "$$ $!" > ${note}; echo begun; wait` },
    });
    await executor();
    const pids = (await written(note)).split(' ').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await terminate(id);
    const execution = await untilEnded(app, id);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(execution.phase).toBe('ABORTED');
    const [run] = jobOf(execution, 'long').runs;
    expect(run.state).toBe('CANCELLED');
    await eventually(
      () => logOf(run.id),
      (logged) => logged === 'STDOUT: begun\n',
    );
  });

  it('sets ABORTING while a process that ignores SIGTERM lives, and ABORTED when it has ended', async () => {
    const note = join(scratch, 'stubborn');
    const id = await launchSteps('stubborn', {
      long: { script: `trap '' TERM; echo $$ > ${note}; while :; do sleep 0.1; done` },
    });
    await executor();
    const pid = Number(await written(note));
    await eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes.long.phase === 'RUNNING',
    );
    await terminate(id);
    const stopping = await eventually(
      () => readExecution(app, id),
      (execution) => jobOf(execution, 'long').state === 'CANCELLING',
    );
    expect([stopping.phase, stopping.endedAt, isAlive(pid)]).toEqual(['ABORTING', null, true]);
    expect(stopping.nodes.long.phase).toBe('RUNNING');
    const phases = new Set<string>();
    const execution = await eventually(
      async () => {
        const lives = isAlive(pid);
        const read = await readExecution(app, id);
        if (lives) phases.add(read.phase);
        return read;
      },
      ({ phase }) => phase === 'ABORTED',
    );
    expect([...phases]).toEqual(['ABORTING']);
    expect(isAlive(pid)).toBe(false);
    expect(execution.endedAt).toBeTruthy();
    expect(execution.nodes.long.phase).toBe('ABORTED');
    expect(jobOf(execution, 'long')).toMatchObject({ state: 'CANCELLED', runs: [{ state: 'CANCELLED' }] });
  });

  it('divides work among executors, and runs no job twice', async () => {
    const note = join(scratch, 'shared');
    const steps = Array.from({ length: 12 }, (_, index) => [
      `n${index}`,
      { script: `echo "$SLIPWAY_JOB_ID" >> ${note}; sleep 0.3` },
    ]);
    const id = await launchSteps('shared', Object.fromEntries(steps));
    await Promise.all([executor({ name: 'left', slots: 2 }), executor({ name: 'right', slots: 2 })]);
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('SUCCEEDED');
    const jobs = readFileSync(note, 'utf8').trim().split('\n');
    expect(new Set(jobs).size).toBe(12);
    expect(jobs).toHaveLength(12);
    const { data } = await app.ask('query ($id: ID!) { job(by: { id: $id }) { runs { executor } } }', {
      id: jobs[0],
    });
    expect(['left', 'right']).toContain(data.job.runs[0].executor);
    const names = await Promise.all(
      jobs.map(async (job) => {
        const answer = await app.ask('query ($id: ID!) { job(by: { id: $id }) { runs { executor } } }', {
          id: job,
        });
        return answer.data.job.runs.map((run: Answer) => run.executor).join();
      }),
    );
    expect(new Set(names)).toEqual(new Set(['left', 'right']));
  });

  it('never runs more jobs at once than it has slots', async () => {
    const note = join(scratch, 'slots');
    const script = `echo + >> ${note}; sleep 0.1; echo - >> ${note}`;
    const steps = Array.from({ length: 6 }, (_, index) => [`n${index}`, { script }]);
    const id = await launchSteps('slots', Object.fromEntries(steps));
    await executor({ slots: 1 });
    await untilEnded(app, id);
    expect(readFileSync(note, 'utf8').replaceAll('\n', '')).toBe('+-'.repeat(6));
  });

  it('keeps a result while the server is unreachable, and reports it afterwards', async () => {
    const [note, end] = [join(scratch, 'silence'), join(scratch, 'silence-end')];
    const wire = await wireToServer();
    const id = await launchSteps('silence', {
      short: {
        outputs: { y: integer },
        script: `echo $$ > ${note}; while ! test -e ${end}; do sleep 0.05; done; echo 5 > "$SLIPWAY_OUTPUTS/y"; echo done`,
      },
    });
    await executor({ url: wire.url });
    const pid = Number(await written(note));
    wire.down();
    writeFileSync(end, '');
    await eventually(
      async () => isAlive(pid),
      (alive) => !alive,
    );
    wire.up();
    const execution = await untilEnded(app, id);
    expect(execution.nodes.short.data.outputs).toEqual({ y: 5 });
    expect(jobOf(execution, 'short').runs).toHaveLength(1);
    expect(await logOf(jobOf(execution, 'short').runs[0].id)).toBe('STDOUT: done\n');
  });

  it('gives its leases back when it stops, and another executor continues at once', async () => {
    const note = join(scratch, 'drained');
    const id = await launchSteps('drained', {
      long: { script: `test -e ${note} || { echo $$ > ${note}; exec sleep 300; }` },
      next: { script: 'sleep 300' },
    });
    const first = await executor({ name: 'first', slots: 1 });
    const pid = Number(await written(note));
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    const drained = await readExecution(app, id);
    expect(jobOf(drained, 'long')).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    expect(jobOf(drained, 'long').runs[0].state).toBe('LEASE_RETURNED');
    // The executor that had signed off got nothing.
    expect(jobOf(drained, 'next')).toMatchObject({ state: 'QUEUED', attemptedRuns: 0, runs: [] });
    await executor({ name: 'second' });
    const running = await eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes.long.phase === 'SUCCEEDED' && execution.nodes.next.phase === 'RUNNING',
    );
    expect(jobOf(running, 'long').runs.map((run: Answer) => run.state)).toEqual([
      'SUCCEEDED',
      'LEASE_RETURNED',
    ]);
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );
    await untilEnded(app, id);
  });

  it('gives a run back when the executor itself fails, at most as often as the job allows', async () => {
    const id = await launchSteps('broken-executor', { any: { script: 'true' } });
    const runtime = new PlayedRuntime();
    runtime.start = () =>
      Promise.reject(new RunError('SYSTEM', 'InputUnavailable', 'cannot download the file of the input x'));
    await executor({ runtime });
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('FAILED');
    expect(execution.nodes.any.error).toMatchObject({ kind: 'SYSTEM', code: 'LeaseLost' });
    expect(execution.nodes.any.error.message).toContain(
      'InputUnavailable: cannot download the file of the input x',
    );
    expect(jobOf(execution, 'any')).toMatchObject({ attemptedRuns: 3 });
  });

  it('gives its commands none of its own environment variables', async () => {
    const id = await launchSteps('environment', {
      show: { outputs: { seen: text }, script: 'env > "$SLIPWAY_OUTPUTS/seen"' },
    });
    await executor();
    const execution = await untilEnded(app, id);
    const { seen } = execution.nodes.show.data.outputs;
    expect(seen).toContain('SLIPWAY_NODE_ID=show');
    expect(seen).not.toMatch(/DATABASE_URL|SLIPWAY_SECRETS|VITEST|LEASE_SECONDS/);
    expect(seen).not.toContain(app.secrets.executor.secretKey);
  });
});
