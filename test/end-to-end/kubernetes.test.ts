/** A workflow and a plain job on a simulated Kubernetes, with an executor in a process of its own that is killed. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../executor/fixture.ts';
import { kubeconfigOf, namespaces, nodes } from '../executor/kubernetes-world.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { ExecutorProcess } from '../support/executor-process.ts';
import { make, mutate } from '../support/mutate.ts';
import { PlayedKubelet } from '../support/played-kubelet.ts';
import { needs } from '../support/require.ts';
import {
  eventually,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { SimulatedApiServer } from '../support/simulated-api-server.ts';

describe.runIf(needs('kubernetesClient', 'work on Kubernetes'))('work on Kubernetes', () => {
  let app: App;
  let server: SimulatedApiServer;
  let kubelet: PlayedKubelet;
  let executor: ExecutorProcess;
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-kubernetes-'));

  beforeAll(async () => {
    [app, server] = await Promise.all([startApp(), new SimulatedApiServer().start()]);
    kubelet = await new PlayedKubelet({ url: server.url, token: server.token, namespaces, nodes }).start();
    const [kubeconfig, shared] = [join(scratch, 'kubeconfig'), join(scratch, 'shared')];
    writeFileSync(kubeconfig, kubeconfigOf(server.url, server.token));
    mkdirSync(shared);
    executor = new ExecutorProcess(app, {
      SLIPWAY_EXECUTOR_RUNTIME: 'kubernetes',
      KUBECONFIG: kubeconfig,
      KUBERNETES_VOLUME_CLAIM: 'files',
      KUBERNETES_SHARED_DIR: shared,
    });
    executor.start();
    await registerProject(app, 'kubernetes');
  });
  afterAll(async () => {
    await executor?.remove();
    await kubelet?.stop();
    await server?.stop();
    await app?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  async function register(name: string, script: string): Promise<string> {
    await registerTask(app, 'kubernetes', name, { command: ['/bin/sh', '-c', script] });
    await registerWorkflow(app, 'kubernetes', name, { a: [] }, { task: name });
    return await launch(app, 'kubernetes', name);
  }

  const untilRunning = (id: string, note: string) =>
    eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes.a?.phase === 'RUNNING' && existsSync(note),
    );

  it('goes on when the executor is killed, and no pod is created twice', async () => {
    const [note, go] = [join(scratch, 'begun'), join(scratch, 'go')];
    const id = await register(
      'killed',
      `echo x >> ${note}; while ! test -e ${go}; do sleep 0.1; done; echo 7 > "$SLIPWAY_OUTPUTS/y"`,
    );
    await untilRunning(id, note);
    await executor.kill();
    writeFileSync(go, '');
    executor.start();
    const execution = await untilEnded(app, id);
    expect(execution.phase, executor.said()).toBe('SUCCEEDED');
    const attempts = execution.nodes.a.taskExecutions.edges;
    expect(attempts.map((edge: Answer) => edge.node.phase)).toEqual(['SUCCEEDED']);
    expect(readFileSync(note, 'utf8')).toBe('x\n');
    expect(executor.said()).toContain('found the runs of an earlier executor');
  });

  it('ends the pod of an execution that is terminated', async () => {
    const note = join(scratch, 'pid');
    const id = await register('long', `echo $$ > ${note}; exec sleep 600`);
    await untilRunning(id, note);
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );
    const execution = await untilEnded(app, id);
    expect([execution.phase, isAlive(Number(readFileSync(note, 'utf8')))]).toEqual(['ABORTED', false]);
  });

  it('is PENDING while the pod waits, in the namespace and on the node that the job names', async () => {
    await make(app, 'createQueue', { name: 'q' }, 'queue');
    const job = {
      container: { image: 'slow/x', command: ['true'] },
      ...{ labels: [{ key: 'team', value: 'a' }], nodeSelector: [{ key: 'zone', value: 'b' }] },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
    };
    const input = { queue: 'q', jobSet: 'set', jobs: [job] };
    const { results } = await mutate(app, 'submitJobs', input, 'results { job { id } }');
    const { id } = results[0].job;
    const read = async () =>
      (await app.ask('query ($id: ID!) { job(by: { id: $id }) { state latestRun { node } } }', { id })).data
        .job;
    const waiting = await eventually(read, ({ state }: Answer) => state === 'PENDING');
    expect(waiting.latestRun.node).toBe('n2');
    const pods = await kubelet.pods('work');
    const pod = pods.find(({ metadata }) => metadata.labels['slipway.dev/job'] === id);
    expect(pod).toMatchObject({ metadata: { labels: { team: 'a' } }, spec: { nodeName: 'n2' } });
    await mutate(app, 'cancelJobs', { ids: [id] }, '__typename');
    await eventually(read, ({ state }: Answer) => state === 'CANCELLED');
    expect((await kubelet.pods('work')).map(({ metadata }) => metadata.name)).not.toContain(
      pod.metadata.name,
    );
  });
});
