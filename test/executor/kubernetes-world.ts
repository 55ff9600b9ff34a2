/**
 * A cluster of Kubernetes for tests: a simulated API server with a played kubelet, and runtimes that use it. With
 * KUBE_APISERVER, the path of a real API server, that one takes the place of the simulated one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../src/executor/runtimes/kubernetes/client-node.ts';
import type { KubernetesApi } from '../../src/executor/runtimes/kubernetes/kubernetes-api.ts';
import {
  KubernetesRuntime,
  type KubernetesRuntimeOptions,
} from '../../src/executor/runtimes/kubernetes/kubernetes-runtime.ts';
import type { Times } from '../../src/executor/runtimes/kubernetes/kubernetes-times.ts';
import { log } from '../../src/platform/log.ts';
import type { KubeApiServer } from '../support/kube-apiserver.ts';
import { type KubeletOptions, PlayedKubelet } from '../support/played-kubelet.ts';
import { SimulatedApiServer } from '../support/simulated-api-server.ts';
import { createRoot } from './fixture.ts';

/** Waits of minutes become waits of some hundred milliseconds. */
export const SHORT: Partial<Times> = { waitFactor: 0.0005, killWaitMs: 3_000, logMs: 3_000, nodesMs: 20 };

export const realApiServer = process.env['KUBE_APISERVER'] ?? null;

export interface World {
  /** Of no use with a real API server. */
  readonly server: SimulatedApiServer;
  readonly kubelet: PlayedKubelet;
  readonly api: KubernetesApi;
  /** A runtime as a new executor would have it. */
  runtime(options?: Partial<KubernetesRuntimeOptions>): KubernetesRuntime;
  stop(): Promise<void>;
}

export const nodes: KubeletOptions['nodes'] = [
  { name: 'n1' },
  {
    name: 'n2',
    labels: { zone: 'b' },
    spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] },
  },
];

export const namespaces = ['work', 'other'];

/** @param real  the real API server, if there is one. */
export async function startWorld(real: KubeApiServer | null): Promise<World> {
  const server = await new SimulatedApiServer().start();
  const { url, token } = real ?? server;
  const tls = real?.tls;
  const kubelet = await new PlayedKubelet({ url, token, tls, namespaces, nodes }).start();
  const root = await createRoot();
  const kubeconfig = join(root, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(url, token));
  const { api } = await connect({ kubeconfig, context: undefined });
  return {
    ...{ server, kubelet, api },
    runtime: (options = {}) => runtimeOf(api, join(root, 'shared'), options),
    async stop() {
      if (real !== null) await kubelet.clear();
      await kubelet.stop();
      await server.stop();
    },
  };
}

export function runtimeOf(
  api: KubernetesApi,
  shared: string,
  { times = {}, ...options }: Partial<KubernetesRuntimeOptions>,
): KubernetesRuntime {
  mkdirSync(shared, { recursive: true });
  return new KubernetesRuntime({
    ...{ api, log, executor: 'e1', root: shared, namespace: 'work', namespaces: ['other'] },
    volume: { claim: 'files', subPathOf: (runId) => `e1/${runId}` },
    serviceAccount: null,
    ...options,
    times: { ...SHORT, ...times },
  });
}

export const kubeconfigOf = (url: string, token: string) =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'c', user: 'u', namespace: 'work' } }],
  });
