/**
 * A scheduler and the kubelets of some nodes for tests. It talks to an API server, simulated or real, over HTTP, and runs
 * the containers of pods as processes of this machine: volumes have the same paths here, and images decide what happens:
 *
 *    missing/…     cannot be pulled        slow/…      is never pulled          broken/…    cannot be configured
 *    a:b:c         is not a name           refused/…   the node refuses         nowhere/…   fits on no node
 *    any other     the command runs
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Json } from './simulated-api-server.ts';

export interface KubeletOptions {
  readonly url: string;
  readonly token: string;
  /** The namespaces whose pods run. */
  readonly namespaces: readonly string[];
  readonly nodes: readonly { readonly name: string; readonly labels?: object; readonly spec?: object }[];
  /** A real API server asks kubelets over TLS only. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
}

interface Running {
  readonly pod: Json;
  readonly log: Buffer[];
  readonly changes: EventEmitter;
  child: ChildProcess | null;
  startedAt: string;
  hasEnded: boolean;
  isStopping: boolean;
  /** What the kubelet reports in place of the ordinary end. */
  said: object;
}

export class PlayedKubelet {
  /** What each command was started with, by the name of its pod. */
  readonly started: string[] = [];
  /** False: nothing that happens here is reported, as when the network of the node has failed. */
  isConnected = true;
  readonly #options: KubeletOptions;
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Running>();
  readonly #server;
  #port = 0;

  constructor(options: KubeletOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#sendLog(request, response);
    this.#server = options.tls ? createSecureServer(options.tls, answer) : createServer(answer);
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    for (const { name, labels = {}, spec = {} } of this.#options.nodes) {
      const metadata = { name, labels: { 'kubernetes.io/hostname': name, ...labels } };
      await this.#call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata, spec });
      await this.setReady(name, true);
    }
    for (const namespace of this.#options.namespaces) void this.#follow(namespace);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.isConnected = false;
    for (const { child } of this.#running.values()) kill(child, 'SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Deletes everything that is there. */
  async clear(): Promise<void> {
    this.isConnected = false;
    for (const namespace of this.#options.namespaces)
      for (const { metadata } of await this.pods(namespace))
        await this.delete(namespace, metadata.name, '?gracePeriodSeconds=0').catch(() => {});
    for (const { name } of this.#options.nodes) await this.#call('DELETE', `/api/v1/nodes/${name}`);
  }

  async setReady(name: string, isReady: boolean): Promise<void> {
    const status = {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'nvidia.com/gpu': '2' },
      capacity: { cpu: '4', memory: '8Gi', pods: '110', 'nvidia.com/gpu': '2' },
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'Unknown', reason: 'Played' }],
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: this.#port } },
    };
    await this.#call('PATCH', `/api/v1/nodes/${name}/status`, { status });
  }

  /** Kills the command of a pod, and reports these fields with its end, such as `{ reason: 'OOMKilled' }`. */
  endCommand(pod: string, said: object): void {
    const one = this.#of(pod);
    one.said = said;
    kill(one.child, 'SIGKILL');
  }

  /** Reports a status of the pod in place of everything that happens to it later, and kills its command. */
  async fail(pod: string, status: object): Promise<void> {
    const one = this.#of(pod);
    one.hasEnded = true;
    kill(one.child, 'SIGKILL');
    await this.#report(one.pod, { phase: 'Failed', ...status });
  }

  async evict(namespace: string, pod: string): Promise<void> {
    const metadata = { name: pod, namespace };
    await this.#call('POST', `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, {
      ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata },
    });
  }

  async delete(namespace: string, pod: string, query = ''): Promise<void> {
    await this.#call('DELETE', `/api/v1/namespaces/${namespace}/pods/${pod}${query}`);
  }

  async pods(namespace: string): Promise<Json[]> {
    return (await this.#call('GET', `/api/v1/namespaces/${namespace}/pods`)).items;
  }

  async create(namespace: string, pod: object): Promise<void> {
    await this.#call('POST', `/api/v1/namespaces/${namespace}/pods`, pod);
  }

  #of(pod: string): Running {
    const one = [...this.#running.values()].find((running) => running.pod.metadata.name === pod);
    if (!one) throw new Error(`no pod ${pod}`);
    return one;
  }

  async #follow(namespace: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const { items, metadata } = await this.#call('GET', `/api/v1/namespaces/${namespace}/pods`);
        for (const pod of items) this.#handle(pod);
        await this.#watch(namespace, metadata.resourceVersion);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  #handle(pod: Json): void {
    this.#judge(pod).catch(() => {});
  }

  async #judge(pod: Json): Promise<void> {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (['Succeeded', 'Failed'].includes(pod.status.phase)) {
      if (deletionTimestamp && this.isConnected) await this.#remove(pod);
      return;
    }
    if (pod.spec.schedulerName && pod.spec.schedulerName !== 'default-scheduler') return;
    if (!pod.spec.nodeName) return await this.#schedule(pod);
    const one = this.#running.get(uid) ?? this.#run(pod);
    if (!deletionTimestamp || one.isStopping || !this.isConnected) return;
    one.isStopping = true;
    if (one.child === null) return await this.#remove(pod);
    kill(one.child, 'SIGTERM');
    setTimeout(() => kill(one.child, 'SIGKILL'), deletionGracePeriodSeconds * 1000).unref();
  }

  async #schedule(pod: Json): Promise<void> {
    const wanted =
      pod.spec.affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]
        .matchFields[0].values[0];
    const { nodes } = this.#options;
    const node = wanted ? nodes.find(({ name }) => name === wanted) : nodes[0];
    if (!node || pod.spec.containers[0].image.startsWith('nowhere/')) {
      const said = { reason: 'Unschedulable', message: '0/1 nodes are available' };
      if (pod.status.conditions?.length) return;
      await this.#report(pod, { conditions: [{ type: 'PodScheduled', status: 'False', ...said }] });
      return;
    }
    const { name, namespace } = pod.metadata;
    await this.#call('POST', `/api/v1/namespaces/${namespace}/pods/${name}/binding`, {
      ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name } },
      target: { apiVersion: 'v1', kind: 'Node', name: node.name },
    });
  }

  #run(pod: Json): Running {
    const [container] = pod.spec.containers;
    const startTime = now();
    const one: Running = {
      ...{ pod, log: [], changes: new EventEmitter(), child: null, startedAt: startTime },
      ...{ hasEnded: false, isStopping: false, said: {} },
    };
    this.#running.set(pod.metadata.uid, one);
    const waits = (reason: string, message = '') =>
      void this.#report(pod, {
        ...{ phase: 'Pending', startTime },
        containerStatuses: [statusOf(container, { waiting: { reason, message } })],
      });
    const { image } = container;
    if (image.startsWith('missing/')) waits('ImagePullBackOff', `Back-off pulling image "${image}"`);
    else if (image.split(':').length > 2) waits('InvalidImageName', `couldn't parse image name "${image}"`);
    else if (image.startsWith('slow/')) waits('ContainerCreating');
    else if (image.startsWith('broken/')) waits('CreateContainerConfigError', 'secret "x" not found');
    else if (image.startsWith('refused/'))
      void this.#report(pod, { phase: 'Failed', reason: 'OutOfcpu', message: 'Node has no room', startTime });
    else this.#spawn(one, container, startTime);
    return one;
  }

  #spawn(one: Running, container: Json, startTime: string): void {
    const { pod } = one;
    for (const { mountPath } of container.volumeMounts ?? []) mkdirSync(mountPath, { recursive: true });
    const [program = 'false', ...args] = [
      ...(container.command ?? ['/bin/sh']),
      ...(container.args ?? []),
    ].map(expanded);
    const variables = (container.env ?? []).map(({ name, value }: Json) => [name, expanded(value ?? '')]);
    const env = { PATH: process.env['PATH'], ...Object.fromEntries(variables) };
    const child = spawn(program, args, {
      cwd: container.workingDir,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    one.child = child;
    this.started.push(pod.metadata.name);
    const keep = (data: Buffer) => {
      one.log.push(data);
      one.changes.emit('change');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('spawn', () => {
      const state = { running: { startedAt: one.startedAt } };
      if (!one.hasEnded)
        void this.#report(pod, {
          phase: 'Running',
          startTime,
          containerStatuses: [statusOf(container, state)],
        });
    });
    child.on('error', (error) => {
      const startedAt = new Date(0).toISOString();
      void this.#end(one, container, {
        exitCode: 128,
        reason: 'StartError',
        message: error.message,
        startedAt,
      });
    });
    // With its first process, a container ends.
    child.on('exit', () => killGroup(child, 'SIGKILL'));
    child.on('close', (code, signal) => {
      const exitCode = signal === null ? (code ?? 1) : signal === 'SIGKILL' ? 137 : 143;
      void this.#end(one, container, {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        startedAt: one.startedAt,
      });
    });
  }

  async #end(one: Running, container: Json, end: { exitCode: number } & Json): Promise<void> {
    if (one.hasEnded) return;
    one.hasEnded = true;
    const terminated = { ...end, finishedAt: now(), ...one.said };
    const phase = terminated.exitCode === 0 ? 'Succeeded' : 'Failed';
    await this.#report(one.pod, { phase, containerStatuses: [statusOf(container, { terminated })] });
    one.changes.emit('change');
    if (one.isStopping) await this.#remove(one.pod);
  }

  async #report(pod: Json, status: object): Promise<void> {
    if (!this.isConnected) return;
    const { name, namespace } = pod.metadata;
    await this.#call('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status }).catch(
      () => {},
    );
  }

  async #remove(pod: Json): Promise<void> {
    const { name, namespace } = pod.metadata;
    await this.delete(namespace, name, '?gracePeriodSeconds=0').catch(() => {});
  }

  #sendLog(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://kubelet');
    const [, namespace, name] = /^\/containerLogs\/([^/]+)\/([^/]+)\//.exec(pathname) ?? [];
    const one = [...this.#running.values()].find(
      ({ pod }) => pod.metadata.name === name && pod.metadata.namespace === namespace,
    );
    if (!one) return void response.writeHead(404).end('no such container');
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    let left = Number(searchParams.get('limitBytes')) || Number.POSITIVE_INFINITY;
    let next = 0;
    const send = () => {
      for (; next < one.log.length && left > 0; next += 1) {
        const piece = (one.log[next] as Buffer).subarray(0, left);
        left -= piece.length;
        response.write(piece);
      }
      if (left > 0 && searchParams.get('follow') === 'true' && !one.hasEnded) return;
      one.changes.off('change', send);
      response.end();
    };
    one.changes.on('change', send);
    response.on('close', () => one.changes.off('change', send));
    send();
  }

  #request(method: string, path: string, body?: object) {
    const { url, token } = this.#options;
    const target = new URL(url + path);
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    return new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(target, { method, headers, rejectUnauthorized: false, agent: false }, resolve);
      const stop = () => request.destroy(new Error('stopped'));
      this.#stop.signal.addEventListener('abort', stop);
      request.on('close', () => this.#stop.signal.removeEventListener('abort', stop));
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async #call(method: string, path: string, body?: object): Promise<Json> {
    const response = await this.#request(method, path, body);
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    if ((response.statusCode ?? 500) > 299)
      throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text);
  }

  async #watch(namespace: string, version: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods?watch=true&resourceVersion=${version}`;
    const response = await this.#request('GET', path);
    let rest = '';
    for await (const piece of response) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(Boolean)) {
        const { type, object } = JSON.parse(line);
        if (type === 'ADDED' || type === 'MODIFIED') this.#handle(object);
        if (type === 'DELETED') kill(this.#running.get(object.metadata.uid)?.child ?? null, 'SIGKILL');
      }
    }
  }
}

const now = () => new Date().toISOString();

const statusOf = ({ name, image }: Json, state: object) => ({
  ...{ name, image, imageID: '', ready: 'running' in state, restartCount: 0, state },
});

/** As Kubernetes does it: `$(NAME)` is a variable, and `$$` is one `$`. No test has variables. */
const expanded = (text: string): string => text.replaceAll('$$', '$');

function kill(child: ChildProcess | null, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
  // Kubernetes asks the first process of a container to end, and kills all of them.
  if (signal === 'SIGTERM') child.kill(signal);
  else killGroup(child, signal);
}

function killGroup({ pid }: ChildProcess, signal: 'SIGKILL'): void {
  try {
    if (pid) process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}
