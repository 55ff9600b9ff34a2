/**
 * An API server of Kubernetes for tests, with pods and nodes only. It speaks the real HTTP API as far as the runtime and
 * the played kubelet use it: create, read, lists with selectors and pages, watches with bookmarks and versions, statuses,
 * bindings, evictions, deletion with a grace period and preconditions, and logs, which it fetches from the kubelet.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes in the form in which they are sent
export type Json = any;

interface Event {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Json;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Json;
}

/** `drop` ends the connection before the work, `lose` after it. */
type Reply = { status: number; body: object } | 'drop' | 'lose' | null;

const failure = (status: number, reason: string, message: string) => ({
  status,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message },
});

export class SimulatedApiServer {
  readonly token = 'secret-token';
  readonly namespaces = new Set(['default', 'work', 'other']);
  readonly calls: Call[] = [];
  /** Answers a call in place of the ordinary answer; null does not. */
  intercept: (call: Call) => Reply = () => null;
  url = '';
  readonly #objects = { pods: new Map<string, Json>(), nodes: new Map<string, Json>() };
  #events: (Event & { readonly kind: Kind })[] = [];
  #version = 100;
  #oldest = 100;
  readonly #watches = new Set<{ send(event: Event & { kind: Kind }): void; end(): void }>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends all watches, as a server that starts again does. */
  endWatches(): void {
    for (const watch of [...this.#watches]) watch.end();
  }

  get watches(): number {
    return this.#watches.size;
  }

  /** Forgets old versions, so that a watch cannot begin there any more. */
  compact(): void {
    this.#oldest = this.#version;
    this.#events = [];
  }

  to(method: string, end: RegExp): Call[] {
    return this.calls.filter((call) => call.method === method && end.test(call.path));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const text = Buffer.concat(pieces).toString();
    const call = {
      ...{ method: request.method ?? '', path: pathname, query: searchParams },
      body: text === '' ? null : JSON.parse(text),
    };
    this.calls.push(call);
    const reply = this.intercept(call);
    if (reply === 'drop') return void response.destroy();
    const send = ({ status, body }: { status: number; body: object }) => {
      if (reply === 'lose') return void response.destroy();
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (reply !== null && reply !== 'lose') return send(reply);
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return send(failure(401, 'Unauthorized', 'Unauthorized'));
    if (pathname.endsWith('/log')) return this.#sendLog(call, response);
    if (searchParams.get('watch') === 'true') return this.#watch(call, response);
    send(this.#ordinary(call));
  }

  #ordinary(call: Call): { status: number; body: object } {
    const { method, path, body } = call;
    const [, namespace, kindText, name, part] =
      /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(pods|nodes)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? [];
    if (!kindText) return failure(404, 'NotFound', `the server could not find ${path}`);
    const kind = kindText as Kind;
    const objects = this.#objects[kind];
    if (namespace && !this.namespaces.has(namespace))
      return failure(404, 'NotFound', `namespaces "${namespace}" not found`);
    if (!name && method === 'GET') return this.#list(kind, namespace, call.query);
    if (!name && method === 'POST') return this.#create(kind, namespace ?? '', body);
    const key = `${namespace ?? ''}/${name}`;
    const object = objects.get(key);
    if (!object) return failure(404, 'NotFound', `${kind} "${name}" not found`);
    if (method === 'GET') return { status: 200, body: object };
    if (method === 'PATCH') return { status: 200, body: this.#put(kind, key, merge(object, body)) };
    if (part === 'binding') return this.#bind(key, object, body);
    if (part === 'eviction') {
      const target = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      };
      const conditions = [...(object.status.conditions ?? []), target];
      return this.#delete(key, this.#put(kind, key, merge(object, { status: { conditions } })), {});
    }
    if (method === 'DELETE' && kind === 'nodes') {
      this.#remove('nodes', key);
      return { status: 200, body: object };
    }
    const seconds = call.query.get('gracePeriodSeconds');
    return this.#delete(key, object, {
      ...(seconds === null ? {} : { gracePeriodSeconds: Number(seconds) }),
      ...body,
    });
  }

  #create(kind: Kind, namespace: string, given: Json): { status: number; body: object } {
    const key = `${namespace}/${given.metadata.name}`;
    if (kind === 'pods' && given.spec.containers.some(({ image }: Json) => !image))
      return failure(
        422,
        'Invalid',
        `Pod "${given.metadata.name}" is invalid: spec.containers[0].image: Required value`,
      );
    if (this.#objects[kind].has(key))
      return failure(409, 'AlreadyExists', `${kind} "${given.metadata.name}" already exists`);
    const metadata = {
      ...given.metadata,
      ...(namespace ? { namespace } : {}),
      uid: crypto.randomUUID(),
      creationTimestamp: now(),
    };
    const status = kind === 'pods' ? { phase: 'Pending' } : (given.status ?? {});
    return { status: 201, body: this.#put(kind, key, { ...given, metadata, status }) };
  }

  #bind(key: string, pod: Json, binding: Json): { status: number; body: object } {
    if (pod.spec.nodeName) return failure(409, 'Conflict', 'the pod has a node already');
    const conditions = [{ type: 'PodScheduled', status: 'True' }];
    this.#put('pods', key, merge(pod, { spec: { nodeName: binding.target.name }, status: { conditions } }));
    return { status: 201, body: { kind: 'Status', status: 'Success' } };
  }

  #delete(key: string, pod: Json, options: Json): { status: number; body: object } {
    const { preconditions, gracePeriodSeconds } = options;
    if (preconditions?.uid && preconditions.uid !== pod.metadata.uid)
      return failure(409, 'Conflict', 'the UID in the precondition does not match');
    const graceSeconds = gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    const isOver = ['Succeeded', 'Failed'].includes(pod.status.phase);
    if (!pod.spec.nodeName || graceSeconds === 0 || isOver) {
      this.#remove('pods', key);
      return { status: 200, body: pod };
    }
    const leaving = { deletionTimestamp: now(), deletionGracePeriodSeconds: graceSeconds };
    return { status: 200, body: this.#put('pods', key, merge(pod, { metadata: leaving })) };
  }

  #list(kind: Kind, namespace: string | undefined, query: URLSearchParams): { status: number; body: object } {
    const all = [...this.#objects[kind].values()].filter((one) => isSelected(one, namespace, query));
    const limit = Number(query.get('limit')) || all.length;
    const from = Number(query.get('continue')) || 0;
    const next = from + limit < all.length ? { continue: String(from + limit) } : {};
    const metadata = { resourceVersion: String(this.#version), ...next };
    return {
      status: 200,
      body: { kind: 'List', apiVersion: 'v1', metadata, items: all.slice(from, from + limit) },
    };
  }

  #watch({ path, query }: Call, response: ServerResponse): void {
    const [, namespace, kindText] = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(pods|nodes)$/.exec(path) ?? [];
    const kind = kindText as Kind;
    const from = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const write = (type: string, object: Json) => response.write(`${JSON.stringify({ type, object })}\n`);
    if (from < this.#oldest) {
      write('ERROR', failure(410, 'Expired', `too old resource version: ${from} (${this.#oldest})`).body);
      return void response.end();
    }
    const send = (event: Event & { kind: Kind }) => {
      if (event.kind === kind && isSelected(event.object, namespace, query)) write(event.type, event.object);
      else if (query.get('allowWatchBookmarks') === 'true')
        write('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: String(event.version) } });
    };
    const end = () => {
      clearTimeout(timer);
      this.#watches.delete(watch);
      response.end();
    };
    const watch = { send, end };
    const timer = setTimeout(end, (Number(query.get('timeoutSeconds')) || 300) * 1000);
    for (const event of this.#events) if (event.version > from) send(event);
    this.#watches.add(watch);
    response.on('close', end);
  }

  #sendLog({ path, query }: Call, response: ServerResponse): void {
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/.exec(path) ?? [];
    const pod = this.#objects.pods.get(`${namespace}/${name}`);
    const node = this.#objects.nodes.get(`/${pod?.spec.nodeName}`);
    if (!pod || !node) {
      const { status, body } = failure(404, 'NotFound', `pods "${name}" not found`);
      return void response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify(body));
    }
    const port = node.status.daemonEndpoints.kubeletEndpoint.Port;
    const at = `/containerLogs/${namespace}/${name}/${query.get('container')}?${query}`;
    const proxied = httpRequest({ host: '127.0.0.1', port, path: at }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, { 'content-type': 'text/plain' });
      response.flushHeaders();
      answer.pipe(response);
    });
    proxied.on('error', () => response.destroy());
    response.on('close', () => proxied.destroy());
    proxied.end();
  }

  #put(kind: Kind, key: string, object: Json): Json {
    this.#version += 1;
    const type = this.#objects[kind].has(key) ? 'MODIFIED' : 'ADDED';
    const stored = merge(object, { metadata: { resourceVersion: String(this.#version) } });
    this.#objects[kind].set(key, stored);
    this.#publish({ version: this.#version, type, kind, object: stored });
    return stored;
  }

  #remove(kind: Kind, key: string): void {
    this.#version += 1;
    const object = this.#objects[kind].get(key);
    const deletionTimestamp = object.metadata.deletionTimestamp ?? now();
    const last = merge(object, { metadata: { resourceVersion: String(this.#version), deletionTimestamp } });
    this.#objects[kind].delete(key);
    this.#publish({ version: this.#version, type: 'DELETED', kind, object: last });
  }

  #publish(event: Event & { kind: Kind }): void {
    this.#events.push(event);
    for (const watch of [...this.#watches]) watch.send(event);
  }
}

type Kind = 'pods' | 'nodes';

const now = () => new Date().toISOString();

/** A merge patch of RFC 7396. */
function merge(object: Json, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged = typeof object === 'object' && object !== null && !Array.isArray(object) ? { ...object } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

function isSelected(object: Json, namespace: string | undefined, query: URLSearchParams): boolean {
  if (namespace && object.metadata.namespace !== namespace) return false;
  const parts = (text: string | null) => (text ?? '').split(',').filter(Boolean);
  const labels = parts(query.get('labelSelector')).every((part) => {
    const [key = '', value] = part.split('=');
    return object.metadata.labels?.[key] === value;
  });
  const fields = parts(query.get('fieldSelector')).every((part) => {
    const [, path = '', operator, value] = /^(.+?)(!?=)(.*)$/.exec(part) ?? [];
    const found = path.split('.').reduce((at, key) => at?.[key], object) ?? '';
    return operator === '=' ? found === value : found !== value;
  });
  return labels && fields;
}
