/**
 * The kubernetes runtime with a simulated API server and kubelets that run commands as processes. With KUBE_APISERVER, the
 * same tests run on a real API server, except those in which the server fails.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunRecord, RunRecords } from '../../src/executor/host/run-records.ts';
import type { RunOutcome } from '../../src/executor/host/runtime.ts';
import { podName } from '../../src/executor/runtimes/kubernetes/pod-manifest.ts';
import { log } from '../../src/platform/log.ts';
import { KubeApiServer } from '../support/kube-apiserver.ts';
import { needs } from '../support/require.ts';
import type { Json } from '../support/simulated-api-server.ts';
import { eventually } from '../support/waiting.ts';
import { createRoot, finish, INTEGER, isAlive, never, node, shell, types, waitUntil } from './fixture.ts';
import { namespaces, realApiServer, startWorld, type World } from './kubernetes-world.ts';

const y = { interface: { inputs: {}, outputs: types({ y: INTEGER }) } };
/** Where the server fails as the test wants, or the test counts what it is asked. */
const simulated = it.runIf(realApiServer === null);
const image = (name: string, script = 'echo begun') => {
  const spec = shell(script);
  return { ...spec, container: { ...spec.container, image: name } };
};

describe.runIf(needs('kubernetesClient', 'the kubernetes runtime'))('the kubernetes runtime', () => {
  let world: World;
  let real: KubeApiServer | null = null;
  beforeAll(async () => {
    if (realApiServer !== null) real = await KubeApiServer.start(realApiServer, namespaces);
  });
  afterAll(() => real?.stop());
  beforeEach(async () => {
    world = await startWorld(real);
  });

  afterEach(() => world.stop());

  const pods = () => world.kubelet.pods('work');
  const podOf = async (runId: string): Promise<Json> =>
    (await pods()).find(({ metadata }) => metadata.name === podName(runId));
  /** Runs a spec, and does something when its command has begun. */
  async function whileRunning(script: string, act: (pod: string) => Promise<void> | void) {
    const spec = shell(script);
    let acted: Promise<unknown> = Promise.resolve();
    const run = await finish(spec, {
      runtime: world.runtime(),
      onStarted: () => {
        acted = Promise.resolve(act(podName(spec.runId)));
      },
    });
    await acted;
    return { ...run, spec };
  }

  it('runs a command with its inputs, variables, outputs and log', async () => {
    const spec = node(
      `console.log(JSON.stringify([process.env['my.name'], process.env.TEXT, process.env.SLIPWAY_RUN_ID,
        process.cwd() === process.env.HOME, process.argv[1]]));
       console.error('to stderr');
       const fs = require('fs');
       fs.writeFileSync(process.env.SLIPWAY_OUTPUTS + '/y', fs.readFileSync(process.env.SLIPWAY_INPUTS + '/x'))`,
      {
        interface: { inputs: types({ x: INTEGER }), outputs: types({ y: INTEGER }) },
        inputs: { x: 5 },
      },
    );
    spec.container.env = [
      { key: 'my.name', value: `it's "a"` },
      { key: 'TEXT', value: '$(HOME) $$ $' },
    ];
    spec.container.args = ['$(PATH) $$(X)'];
    const run = await finish(spec, { runtime: world.runtime() });
    expect(run.outcome, run.stdout).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 5 } });
    const [line = '', ...others] = run.stdout.split('\n');
    expect(JSON.parse(line)).toEqual([`it's "a"`, '$(HOME) $$ $', spec.runId, true, '$(PATH) $$(X)']);
    expect(others).toEqual(['to stderr', '']);
  });

  it('gives the pod everything that the job says about it', async () => {
    const spec = {
      ...shell('echo $PATH'),
      ...{ node: 'n2', timeoutSeconds: 60, terminationGraceSeconds: 7 },
      labels: { team: 'a', 'slipway.dev/executor': 'stolen' },
      annotations: { note: 'b' },
      nodeSelector: { zone: 'b' },
      tolerations: [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: null }],
    };
    const resources = {
      requests: [
        { name: 'CPU', value: '500m' },
        { name: 'memory', value: '1Gi' },
        { name: 'GPU', value: '1' },
        { name: 'STORAGE', value: '5Gi' },
      ],
      limits: [{ name: 'MEMORY', value: '2Gi' }],
    };
    const run = await finish(
      { ...spec, container: { ...spec.container, resources } },
      { runtime: world.runtime({ serviceAccount: 'runner' }) },
    );
    expect(run.outcome.kind).toBe('SUCCEEDED');
    const pod = await podOf(spec.runId);
    expect(pod.metadata).toMatchObject({
      labels: {
        ...{ team: 'a', 'slipway.dev/executor': 'e1' },
        ...{ 'slipway.dev/run': spec.runId, 'slipway.dev/job': spec.jobId },
      },
      annotations: { note: 'b' },
    });
    expect(pod.spec).toMatchObject({
      ...{ nodeName: 'n2', restartPolicy: 'Never', terminationGracePeriodSeconds: 7 },
      ...{ activeDeadlineSeconds: 60 + 7 + 20 * 60, automountServiceAccountToken: false },
      ...{ serviceAccountName: 'runner', nodeSelector: { zone: 'b' } },
      tolerations: expect.arrayContaining([{ key: 'gpu', operator: 'Equal', value: 'yes' }]),

      securityContext: { runAsUser: process.getuid?.(), runAsGroup: process.getgid?.() },
      volumes: [{ name: 'run', persistentVolumeClaim: { claimName: 'files' } }],
    });
    const [container] = pod.spec.containers;
    expect(container.resources).toEqual({
      requests: { cpu: '500m', memory: '1Gi', 'nvidia.com/gpu': '1' },
      limits: { memory: '2Gi', 'nvidia.com/gpu': '1' },
    });
    expect(container.volumeMounts).toMatchObject([{ subPath: `e1/${spec.runId}` }]);
    // The image has a PATH of its own.
    expect(container.env.map(({ name }: Json) => name)).not.toContain('PATH');
  });

  it('uses the entry point of the image if the job has no command', async () => {
    const spec = shell('');
    spec.container.command = [];
    spec.container.args = ['-c', 'echo from the image'];
    const run = await finish(spec, { runtime: world.runtime() });
    expect(run.stdout).toBe('from the image\n');
    expect((await podOf(spec.runId)).spec.containers[0].command).toBeUndefined();
  });

  it.each([
    ['exit 3', { exitCode: 3, error: { code: 'NonZeroExit', message: 'told' } }],
    ['kill -9 $$', { exitCode: 137, error: { code: 'NonZeroExit', message: 'told' } }],
  ])('reports how a command fails: %s', async (script, failure) => {
    const run = await finish(shell(`echo told; ${script}`), { runtime: world.runtime() });
    expect(run.outcome).toMatchObject({ kind: 'FAILED', ...failure });
  });

  it('reports a program that the image does not have as an error of the user', async () => {
    const spec = shell('');
    spec.container.command = ['/no/such/program'];
    const { outcome } = await finish(spec, { runtime: world.runtime() });
    expect(outcome).toMatchObject({ kind: 'FAILED', error: { code: 'CannotStart', kind: 'USER' } });
  });

  it('reports a command that used more memory than its limit', async () => {
    const { outcome } = await whileRunning('sleep 60', (pod) =>
      world.kubelet.endCommand(pod, { reason: 'OOMKilled', exitCode: 137 }),
    );
    expect(outcome).toMatchObject({ kind: 'FAILED', error: { code: 'OutOfMemory', kind: 'USER' } });
  });

  it.each([
    ['missing/x', { code: 'NotStarted', kind: 'SYSTEM' }, 'ImagePullBackOff'],
    ['broken/x', { code: 'NotStarted', kind: 'SYSTEM' }, 'CreateContainerConfigError: secret "x" not found'],
    ['slow/x', { code: 'NotStarted', kind: 'SYSTEM' }, 'ContainerCreating'],
    ['nowhere/x', { code: 'NotStarted', kind: 'SYSTEM' }, 'Unschedulable: 0/1 nodes are available'],
    ['refused/x', { code: 'NotStarted', kind: 'SYSTEM' }, 'OutOfcpu: Node has no room'],
    ['a:b:c', { code: 'InvalidImageName', kind: 'USER' }, `couldn't parse image name "a:b:c"`],
  ])('gives up a pod with the image %s, which then is gone', async (name, error, message) => {
    const waits: string[] = [];
    const spec = image(name);
    const run = await finish(spec, {
      runtime: world.runtime(),
      onWaiting: () => waits.push('waits'),
      onStarted: () => waits.push('started'),
    });
    expect(run.outcome).toMatchObject({ kind: 'FAILED', error });
    expect((run.outcome as Extract<RunOutcome, { kind: 'FAILED' }>).error.message).toContain(message);
    expect(waits).not.toContain('started');
    // Whether a pod waits before its node refuses it depends on who looks first.
    if (name !== 'refused/x') expect(waits).toEqual(['waits']);
    const pod = await podOf(spec.runId);
    expect(pod === undefined || pod.status.phase === 'Failed').toBe(true);
    expect(world.kubelet.started).toEqual([]);
  });

  it('waits for an image as long as Armada does, and says once that it waits', async () => {
    let waits = 0;
    const cancel = new AbortController();
    const running = finish(image('missing/x'), {
      ...{ runtime: world.runtime({ times: { waitFactor: 1 } }), signal: cancel.signal },
      onWaiting: () => {
        waits += 1;
      },
    });
    await waitUntil(() => waits === 1, 'it waited');
    world.server.endWatches();
    await waitUntil(async () => (await pods())[0].status.containerStatuses?.length === 1, 'it was reported');
    cancel.abort();
    expect((await running).outcome).toEqual({ kind: 'CANCELLED' });
    expect(waits).toBe(1);
    expect(await pods()).toEqual([]);
  });

  it('asks a command to end, and kills it after the grace period with what it has started', async () => {
    const note = join(await createRoot(), 'pids');
    const trap = `trap 'echo asked >> ${note}.asked' TERM`;
    const script = `${trap}; (trap '' TERM; while :; do sleep 0.1; done) & echo $$ $! > ${note}; while :; do sleep 0.1; done`;
    const cancel = new AbortController();
    const spec = shell(script, { terminationGraceSeconds: 1 });
    const running = finish(spec, { runtime: world.runtime(), signal: cancel.signal });
    const pids = await eventually(
      () => (existsSync(note) ? readFileSync(note, 'utf8').trim().split(' ').map(Number) : []),
      (read) => read.length === 2,
    );
    expect(pids.map(isAlive)).toEqual([true, true]);
    cancel.abort();
    expect((await running).outcome).toEqual({ kind: 'CANCELLED' });
    expect(readFileSync(`${note}.asked`, 'utf8')).toBe('asked\n');
    await waitUntil(() => !pids.some(isAlive), 'they were gone');
    expect(await pods()).toEqual([]);
  });

  it('passes on what a command prints while it is being ended', async () => {
    const cancel = new AbortController();
    const script = `trap 'echo last words; exit 0' TERM; echo first; while :; do sleep 0.1; done`;
    const run = await finish(shell(script), {
      ...{ runtime: world.runtime(), signal: cancel.signal },
      onLog: () => cancel.abort(),
    });
    expect(run.outcome).toEqual({ kind: 'CANCELLED' });
    expect(run.stdout).toBe('first\nlast words\n');
  });

  it('keeps the beginning and the end of a long log', async () => {
    const script = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); done';
    const run = await finish(shell(script), { runtime: world.runtime(), logLimitBytes: 1000 });
    expect(run.outcome.kind).toBe('SUCCEEDED');
    expect(run.stdout.startsWith('line 0\nline 1\n')).toBe(true);
    expect(run.stdout.endsWith('line 2998\nline 2999\n')).toBe(true);
    expect(run.stdout.length).toBeLessThan(20_000);
  });

  it.each([
    ['evicted', 'Evicted', (pod: string) => world.kubelet.evict('work', pod)],
    ['deleted by somebody', 'DeletedOutside', (pod: string) => world.kubelet.delete('work', pod)],
    [
      'evicted by its node',
      'Evicted',
      (pod: string) => world.kubelet.fail(pod, { reason: 'Evicted', message: 'The node was low on memory' }),
    ],
    [
      'preempted',
      'Preempted',
      (pod: string) =>
        world.kubelet.fail(pod, {
          conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }],
        }),
    ],
    [
      'removed at once',
      'DeletedOutside',
      (pod: string) => world.kubelet.delete('work', pod, '?gracePeriodSeconds=0'),
    ],
  ] as const)('does not repeat a run that was %s after it had begun', async (_what, code, act) => {
    const { outcome } = await whileRunning('sleep 60', act);
    expect(outcome).toMatchObject({ kind: 'LOST', error: { code, kind: 'SYSTEM' } });
  });

  /** Runs a job whose pod waits, and does something with the pod then. */
  async function whileWaiting(act: (pod: string) => Promise<void>): Promise<RunOutcome> {
    const spec = image('slow/x');
    let acted: Promise<unknown> = Promise.resolve();
    const run = await finish(spec, {
      runtime: world.runtime({ times: { waitFactor: 1 } }),
      onWaiting: () => {
        acted = act(podName(spec.runId));
      },
    });
    await acted;
    return run.outcome;
  }

  it('returns a run that was evicted before it began, and counts no attempt', async () => {
    expect(await whileWaiting((pod) => world.kubelet.evict('work', pod))).toEqual({
      kind: 'NOT_BEGUN',
      reason: 'Kubernetes has evicted the pod: Eviction API: evicting',
    });
  });

  it('fails a run whose pod somebody deleted before it began', async () => {
    const outcome = await whileWaiting((pod) => world.kubelet.delete('work', pod));
    expect(outcome).toMatchObject({ kind: 'LOST', error: { code: 'DeletedOutside' } });
  });

  it('removes the pod of a failed node, and does not repeat its run', async () => {
    const cancel = new AbortController();
    const run = await finish(shell('sleep 60', { terminationGraceSeconds: 0 }), {
      ...{ runtime: world.runtime({ times: { killWaitMs: 300 } }), signal: cancel.signal },
      onStarted: () => {
        world.kubelet.setReady('n1', false).then(() => {
          world.kubelet.isConnected = false;
          cancel.abort();
        });
      },
    });
    expect(run.outcome).toEqual({ kind: 'CANCELLED' });
    expect(await pods()).toEqual([]);
  });

  it('keeps the lease of a run whose pod does not go although its node works', async () => {
    const [cancel, giveUp] = [new AbortController(), new AbortController()];
    const run = await finish(shell('sleep 60', { terminationGraceSeconds: 0 }), {
      ...{ runtime: world.runtime({ times: { killWaitMs: 300 } }), signal: cancel.signal },
      giveUp: giveUp.signal,
      onStarted: () => {
        world.kubelet.isConnected = false;
        giveUp.abort();
        cancel.abort();
      },
    });
    expect(run.outcome).toMatchObject({ kind: 'STUCK' });
    expect(await pods()).toHaveLength(1);
  });

  describe('a start', () => {
    simulated('creates one pod, although the answer was lost and the call was repeated', async () => {
      let lost = 0;
      world.server.intercept = ({ method, path }) => {
        if (method !== 'POST' || !path.endsWith('/pods') || lost > 0) return null;
        lost += 1;
        return 'lose';
      };
      const run = await finish(shell('echo once'), { runtime: world.runtime() });
      expect(run.stdout).toBe('once\n');
      expect(world.kubelet.started).toHaveLength(1);
      expect(world.server.to('POST', /\/pods$/)).toHaveLength(2);
    });

    simulated(
      'goes on while the API server is away, busy, refuses the token, or has no quota left',
      async () => {
        const full = { message: 'pods "x" is forbidden: exceeded quota: q', reason: 'Forbidden' };
        const faults = [
          'drop',
          { status: 503, body: {} },
          { status: 429, body: {} },
          { status: 401, body: {} },
          { status: 403, body: full },
        ] as const;
        let next = 0;
        world.server.intercept = ({ method, path }) =>
          method === 'POST' && path.endsWith('/pods') ? (faults[next++] ?? null) : null;
        const run = await finish(shell('echo ran'), { runtime: world.runtime() });
        expect(run.stdout).toBe('ran\n');
        expect(next).toBe(faults.length + 1);
      },
    );

    it.runIf(realApiServer === null).each([
      ['', 'USER', 'image: Required value'],
      ['forbidden by a policy', 'USER', 'violates PodSecurity'],
      ['forbidden to the executor', 'SYSTEM', 'cannot create resource "pods"'],
    ])('fails if Kubernetes refuses the pod: %s', async (what, kind, message) => {
      const told = what === 'forbidden by a policy' ? message : `User "e" ${message} in API group ""`;
      if (what !== '')
        world.server.intercept = ({ method }) =>
          method === 'POST' ? { status: 403, body: { message: told, reason: 'Forbidden' } } : null;
      const { outcome } = await finish(image(what), { runtime: world.runtime() });
      expect(outcome).toMatchObject({ kind: 'FAILED', error: { code: 'PodRefused', kind } });
      expect(JSON.stringify(outcome)).toContain(JSON.stringify(message).slice(1, -1));
    });

    it('is refused without a volume if the job has outputs, and works otherwise', async () => {
      const withoutVolume = world.runtime({ volume: null });
      const refused = await finish(shell(':', y), { runtime: withoutVolume });
      expect(refused.outcome).toMatchObject({
        kind: 'FAILED',
        error: { code: 'NoSharedVolume', kind: 'SYSTEM' },
      });
      expect(await pods()).toEqual([]);
      const script = 'touch "$HOME/a" "$TMPDIR/b" && echo written';
      expect((await finish(shell(script), { runtime: withoutVolume })).stdout).toBe('written\n');
      const [pod] = await pods();
      expect(pod.spec.volumes.every(({ emptyDir }: Json) => emptyDir)).toBe(true);
      expect(pod.spec.securityContext?.runAsUser).toBeUndefined();
    });

    it('uses the namespace that the job names, if the executor has it', async () => {
      await finish(shell('echo ran', { namespace: 'other' }), { runtime: world.runtime() });
      expect(await world.kubelet.pods('other')).toHaveLength(1);
      const { outcome } = await finish(shell('echo ran', { namespace: 'kube-system' }), {
        runtime: world.runtime(),
      });
      expect(outcome).toMatchObject({ kind: 'FAILED', error: { code: 'NamespaceRefused', kind: 'USER' } });
    });

    simulated('that was stopped while Kubernetes was away never begins later', async () => {
      const cancel = new AbortController();
      let isAway = true;
      let asked = 0;
      world.server.intercept = ({ method }) => {
        if (method === 'POST') asked += 1;
        return isAway ? 'drop' : null;
      };
      const spec = shell('echo ran');
      const running = finish(spec, { runtime: world.runtime(), signal: cancel.signal });
      await waitUntil(() => asked > 1, 'it had asked');
      cancel.abort();
      isAway = false;
      expect((await running).outcome).toEqual({ kind: 'CANCELLED' });
      // The name is taken, so a pod of the run that was under way is refused.
      const [closed] = await pods();
      expect(closed).toMatchObject({
        metadata: { name: podName(spec.runId), labels: { 'slipway.dev/closed': 'true' } },
        spec: { schedulerName: 'slipway-none' },
      });
      expect(world.kubelet.started).toEqual([]);
    });
  });

  describe('when the executor starts again', () => {
    const untilFile = (file: string, then: string) =>
      `echo one; while ! test -e ${file}; do sleep 0.05; done; ${then}`;

    /** Leaves a run to the next executor. */
    async function leftBehind(script: string) {
      const records = new RunRecords(await createRoot(), log);
      const leave = new AbortController();
      const spec = shell(script, y);
      const first = await finish(spec, {
        ...{ runtime: world.runtime(), records, leave: leave.signal },
        onLog: () => leave.abort(),
      });
      expect(first.outcome).toEqual({ kind: 'LEFT' });
      const [record] = records.list();
      if (record?.phase !== 'STARTED') throw new Error('no record');
      return { record: record as RunRecord & { phase: 'STARTED' }, records, first, pod: podName(spec.runId) };
    }

    it('adopts a pod that runs, and passes on the rest of its log', async () => {
      const go = join(await createRoot(), 'go');
      const { record, records, first } = await leftBehind(
        untilFile(go, 'echo two; echo 8 > "$SLIPWAY_OUTPUTS/y"'),
      );
      writeFileSync(go, '');
      const adopted = await finish(record, { runtime: world.runtime(), records });
      expect(adopted.outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 8 } });
      const parts = new Map(
        [...first.chunks, ...adopted.chunks].map(({ sequence, text }) => [sequence, text]),
      );
      expect([...parts.values()].join('')).toBe('one\ntwo\n');
      expect(world.kubelet.started).toHaveLength(1);
    });

    it('learns how a pod has ended meanwhile', async () => {
      const go = join(await createRoot(), 'go');
      const { record, records, pod } = await leftBehind(untilFile(go, 'echo 9 > "$SLIPWAY_OUTPUTS/y"'));
      writeFileSync(go, '');
      await waitUntil(
        async () =>
          (await pods()).some(
            ({ metadata, status }) => metadata.name === pod && status.phase === 'Succeeded',
          ),
        'it had ended',
      );
      const late = await finish(record, { runtime: world.runtime(), records });
      expect(late.outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 9 } });
    });

    it('does not repeat a run whose pod is gone', async () => {
      const { record, records, pod } = await leftBehind('echo one; sleep 60');
      await world.kubelet.delete('work', pod, '?gracePeriodSeconds=0');
      const late = await finish(record, { runtime: world.runtime(), records });
      expect(late.outcome).toMatchObject({ kind: 'LOST', error: { code: 'RunLost' } });
    });

    it('finds the pod of a run whose start was interrupted', async () => {
      const go = join(await createRoot(), 'go');
      const { record, records } = await leftBehind(untilFile(go, 'echo 4 > "$SLIPWAY_OUTPUTS/y"'));
      writeFileSync(go, '');
      const { spec, inputUris } = record;
      const found = await finish(
        { spec, inputUris, phase: 'STARTING' },
        { runtime: world.runtime(), records },
      );
      expect(found.outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 4 } });
    });

    simulated('makes sure that a pod that was not created never will be', async () => {
      let isAway = true;
      let asked = 0;
      world.server.intercept = ({ method, path }) => {
        if (method !== 'POST' || !path.endsWith('/pods') || !isAway) return null;
        asked += 1;
        return 'drop';
      };
      const [one, stop] = [world.runtime(), new AbortController()];
      const records = new RunRecords(await createRoot(), log);
      const spec = shell('echo ran');
      const first = finish(spec, { runtime: one, records, leave: stop.signal });
      await waitUntil(() => asked > 0, 'it had asked');
      isAway = false;
      // Another executor looks for the run before the first one tries again.
      world.server.intercept = ({ method, body }) =>
        method === 'POST' && body.spec.containers[0].image !== 'none' ? 'drop' : null;
      expect(await world.runtime().find(spec.runId, never)).toBeNull();
      world.server.intercept = () => null;
      stop.abort();
      await first;
      expect(world.kubelet.started).toEqual([]);
      expect(await world.runtime().find(crypto.randomUUID(), never)).toBeNull();
    });
  });

  describe('the watch', () => {
    simulated('goes on after the server has ended it, has forgotten old versions, or was away', async () => {
      const go = join(await createRoot(), 'go');
      const running = finish(shell(`echo begun; while ! test -e ${go}; do sleep 0.05; done; exit 4`), {
        // The watch alone must notice the end.
        runtime: world.runtime({ times: { waitFactor: 1 } }),
      });
      await waitUntil(() => world.server.watches === 3, 'it watched');
      await waitUntil(() => world.kubelet.started.length === 1, 'it had begun');
      world.server.endWatches();
      let isAway = true;
      world.server.intercept = ({ path, query }) =>
        isAway && (path.endsWith('/pods') || query.get('watch') === 'true') ? 'drop' : null;
      world.server.endWatches();
      world.server.compact();
      const before = world.server.calls.length;
      await waitUntil(() => world.server.calls.length > before + 3, 'it had tried again');
      isAway = false;
      writeFileSync(go, '');
      expect((await running).outcome).toMatchObject({ kind: 'FAILED', exitCode: 4 });
    });

    simulated('does not ask without pause if each watch ends at once', async () => {
      world.server.intercept = ({ query }) =>
        query.get('allowWatchBookmarks') === 'true' ? { status: 200, body: {} } : null;
      const run = await finish(shell('sleep 1'), { runtime: world.runtime({ times: { waitFactor: 1 } }) });
      expect(run.outcome.kind).toBe('SUCCEEDED');
      const watches = world.server.calls.filter(({ query }) => query.get('allowWatchBookmarks') === 'true');
      expect(watches.length).toBeLessThan(40);
    });

    simulated('stops when no run needs it', async () => {
      await waitUntil(() => world.server.watches === 2, 'the kubelet watched');
      let most = 0;
      world.server.intercept = () => {
        most = Math.max(most, world.server.watches);
        return null;
      };
      await finish(shell('sleep 0.5'), { runtime: world.runtime() });
      expect(most).toBeGreaterThan(2);
      await waitUntil(() => world.server.watches === 2, 'it had stopped');
    });
  });

  describe('what is left in Kubernetes', () => {
    it('stays for people to look at, failed pods longer, and is deleted then', async () => {
      const runtime = world.runtime({ times: { keepMs: 400, keepFailedMs: 1_200 } });
      const [good, bad] = [shell(':'), shell('exit 1')];
      await finish(good, { runtime });
      await finish(bad, { runtime });
      await runtime.nodes();
      expect(await pods()).toHaveLength(2);
      const untilGone = (runId: string) =>
        waitUntil(async () => {
          await runtime.nodes();
          return (await podOf(runId)) === undefined;
        }, 'it was deleted');
      await untilGone(good.runId);
      expect(await podOf(bad.runId)).toBeDefined();
      await untilGone(bad.runId);
    });

    it('is deleted if it runs and no run knows it, but not the pods of others', async () => {
      const runtime = world.runtime({ times: { orphanMs: 300 } });
      const orphan = (name: string, executor: string) =>
        world.kubelet.create('work', {
          metadata: { name, labels: { 'slipway.dev/executor': executor, 'slipway.dev/run': name } },
          spec: { containers: [{ name: 'command', image: 'x', command: ['sleep', '60'] }] },
        });
      await orphan('ours', 'e1');
      await orphan('theirs', 'e2');
      const started = shell('sleep 1.5');
      const running = finish(started, { runtime });
      await waitUntil(async () => {
        await runtime.nodes();
        return !(await pods()).some(({ metadata }) => metadata.name === 'ours');
      }, 'it was deleted');
      expect((await pods()).map(({ metadata }) => metadata.name)).toContain('theirs');
      expect((await running).outcome.kind).toBe('SUCCEEDED');
    });
  });

  describe('the nodes', () => {
    const foreign = (name: string, cpu: string) =>
      world.kubelet.create('work', {
        metadata: { name },
        spec: {
          containers: [
            {
              name: 'c',
              image: 'x',
              command: ['sleep', '60'],
              resources: { requests: { cpu, memory: '1Gi' } },
            },
          ],
        },
      });

    it('have what Kubernetes can give, without what others request, and their labels and taints', async () => {
      await foreign('foreign', '1500m');
      await waitUntil(async () => (await pods())[0].spec.nodeName === 'n1', 'it had a node');
      const spec = shell('sleep 60');
      const cancel = new AbortController();
      const resources = { requests: [{ name: 'cpu', value: '1' }], limits: [] };
      const running = finish(
        { ...spec, container: { ...spec.container, resources } },
        { runtime: world.runtime(), signal: cancel.signal },
      );
      await waitUntil(async () => (await podOf(spec.runId))?.status.phase === 'Running', 'it ran');
      await world.kubelet.setReady('n2', false);
      expect(await world.runtime().nodes()).toEqual([
        {
          ...{ name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' }, taints: [], unschedulable: false },
          allocatable: { cpu: '2500m', memory: String(7 * 2 ** 30), 'nvidia.com/gpu': '2' },
        },
        {
          ...{ name: 'n2', labels: { 'kubernetes.io/hostname': 'n2', zone: 'b' }, unschedulable: true },
          taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }],
          allocatable: { cpu: '4000m', memory: String(8 * 2 ** 30), 'nvidia.com/gpu': '2' },
        },
      ]);
      cancel.abort();
      await running;
    });

    simulated('are asked for again, and stay the same while Kubernetes is away', async () => {
      const runtime = world.runtime();
      expect(await runtime.nodes()).toHaveLength(2);
      let asked = 0;
      world.server.intercept = () => {
        asked += 1;
        return 'drop';
      };
      await waitUntil(async () => {
        expect(await runtime.nodes()).toHaveLength(2);
        return asked > 0;
      }, 'it had asked');
      expect(await runtime.nodes()).toHaveLength(2);
    });

    simulated('are none if the executor may not see them', async () => {
      const message = 'nodes is forbidden: User "e" cannot list resource "nodes"';
      world.server.intercept = ({ path }) =>
        path === '/api/v1/nodes' ? { status: 403, body: { message, reason: 'Forbidden' } } : null;
      expect(await world.runtime().nodes()).toEqual([]);
    });
  });
});
