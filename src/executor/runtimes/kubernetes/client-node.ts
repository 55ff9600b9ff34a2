/**
 * The calls to Kubernetes through the package @kubernetes/client-node, which also reads kubeconfig files and the
 * credential of a pod, and renews what expires. It is an optional dependency that takes a second to load, so it is
 * loaded only here. The types name only what we use, so that our code compiles without the package.
 */
import { Writable } from 'node:stream';
import { ConfigurationError } from '../../../platform/config/environment.ts';
import { faultOf, type KubernetesApi, KubernetesError, type List } from './kubernetes-api.ts';

const PACKAGE = '@kubernetes/client-node';
const VERSION = '1.4.0';
const TIMEOUT_MS = 30_000;
/** How long the server may take to begin its answer when it then sends for a long time. */
const FIRST_BYTE_MS = 30_000;

interface KubeConfig {
  loadFromFile(file: string): void;
  loadFromDefault(): void;
  getContexts(): readonly { readonly name: string; readonly namespace?: string }[];
  getCurrentContext(): string;
  setCurrentContext(name: string): void;
  getCurrentCluster(): { readonly server: string } | null;
  makeApiClient(api: unknown): CoreApi;
}

interface Listed {
  readonly items?: readonly unknown[];
  readonly metadata?: { readonly resourceVersion?: string; readonly _continue?: string };
}

interface CoreApi {
  createNamespacedPod(request: object, options: object): Promise<unknown>;
  readNamespacedPod(request: object, options: object): Promise<unknown>;
  deleteNamespacedPod(request: object, options: object): Promise<unknown>;
  listNamespacedPod(request: object, options: object): Promise<Listed>;
  listPodForAllNamespaces(request: object, options: object): Promise<Listed>;
  listNode(request: object, options: object): Promise<Listed>;
  readNode(request: object, options: object): Promise<unknown>;
}

interface Watch {
  watch(
    path: string,
    query: object,
    onEvent: (type: string, object: unknown) => void,
    onEnd: (error: unknown) => void,
  ): Promise<AbortController>;
}

interface Log {
  log(
    namespace: string,
    pod: string,
    container: string,
    stream: Writable,
    options: object,
  ): Promise<AbortController>;
}

interface ClientNode {
  readonly KubeConfig: new () => KubeConfig;
  readonly CoreV1Api: unknown;
  readonly Observable: new <T>(value: Promise<T>) => object;
  readonly Watch: new (config: KubeConfig) => Watch;
  readonly Log: new (config: KubeConfig) => Log;
}

export interface Connection {
  readonly api: KubernetesApi;
  /** The namespace that the kubeconfig file names, or that of the executor's own pod; null if neither does. */
  readonly namespace: string | null;
}

type ImportPackage = () => Promise<unknown>;

const importClientNode: ImportPackage = () => {
  // In a variable, because otherwise the compiler would look for the package.
  const name: string = PACKAGE;
  return import(name);
};

/**
 * Reads the configuration and makes the client. It does not call the cluster.
 *
 * @throws ConfigurationError if the package is missing, or if there is no cluster in the configuration.
 */
export async function connect(
  { kubeconfig, context }: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  importPackage = importClientNode,
): Promise<Connection> {
  const client = (await importPackage().catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(
      error.code === 'ERR_MODULE_NOT_FOUND'
        ? `SLIPWAY_EXECUTOR_RUNTIME=kubernetes requires the package ${PACKAGE}. Run: npm install --no-save ${PACKAGE}@${VERSION}`
        : `The package ${PACKAGE} cannot be loaded: ${error.message}`,
    );
  })) as ClientNode;
  const config = new client.KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new ConfigurationError(`KUBECONFIG: cannot read it: ${(error as Error).message}`);
  }
  const contexts = config.getContexts();
  if (context !== undefined) {
    if (!contexts.some(({ name }) => name === context))
      throw new ConfigurationError(
        `KUBERNETES_CONTEXT: there is no context ${context} in the configuration.`,
      );
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null)
    throw new ConfigurationError(
      'KUBECONFIG is required for the runtime kubernetes: a kubeconfig file with a current context. In a pod, the service account of the pod is used.',
    );
  const current = contexts.find(({ name }) => name === config.getCurrentContext());
  return { api: new ClientNodeApi(client, config), namespace: current?.namespace ?? null };
}

class ClientNodeApi implements KubernetesApi {
  readonly #client: ClientNode;
  readonly #core: CoreApi;
  readonly #watch: Watch;
  readonly #log: Log;

  constructor(client: ClientNode, config: KubeConfig) {
    this.#client = client;
    this.#core = config.makeApiClient(client.CoreV1Api);
    this.#watch = new client.Watch(config);
    this.#log = new client.Log(config);
  }

  createPod(namespace: string, body: object, signal: AbortSignal): Promise<unknown> {
    return this.#ask((options) => this.#core.createNamespacedPod({ namespace, body }, options), signal);
  }

  readPod(namespace: string, name: string, signal: AbortSignal): Promise<unknown> {
    return this.#ask((options) => this.#core.readNamespacedPod({ namespace, name }, options), signal);
  }

  async deletePod(
    namespace: string,
    name: string,
    { graceSeconds, uid }: { graceSeconds: number; uid?: string | null },
    signal: AbortSignal,
  ): Promise<void> {
    const preconditions = uid ? { preconditions: { uid } } : {};
    const body = { gracePeriodSeconds: graceSeconds, ...preconditions };
    const request = { namespace, name, gracePeriodSeconds: graceSeconds, body };
    await this.#ask((options) => this.#core.deleteNamespacedPod(request, options), signal);
  }

  listPods(
    namespace: string | null,
    { labels, fields }: { labels?: string; fields?: string },
    signal: AbortSignal,
  ): Promise<List> {
    const query = { labelSelector: labels, fieldSelector: fields };
    return this.#list(
      (page, options) =>
        namespace === null
          ? this.#core.listPodForAllNamespaces({ ...query, ...page }, options)
          : this.#core.listNamespacedPod({ namespace, ...query, ...page }, options),
      signal,
    );
  }

  async watchPods(
    namespace: string,
    { labels, version, timeoutSeconds, onEvent }: Parameters<KubernetesApi['watchPods']>[1],
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
    const query = {
      ...{ labelSelector: labels, resourceVersion: version, timeoutSeconds },
      allowWatchBookmarks: true,
    };
    await new Promise<void>((resolve, reject) => {
      let controller: AbortController | null = null;
      let isOver = false;
      const end = (error: unknown) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(late);
        signal.removeEventListener('abort', stop);
        controller?.abort();
        if (signal.aborted) reject(signal.reason);
        else if (error === null || error === undefined) resolve();
        else reject(asFault(error));
      };
      const stop = () => end(null);
      // A connection that is dead without saying so never ends by itself.
      const late = setTimeout(
        () => end(new Error('the watch did not end in time')),
        timeoutSeconds * 1000 + FIRST_BYTE_MS,
      );
      signal.addEventListener('abort', stop);
      this.#watch
        .watch(path, query, (type, object) => isOver || onEvent(type, object), end)
        .then((one) => {
          controller = one;
          if (isOver) one.abort();
        }, end);
    });
  }

  async readLog(
    namespace: string,
    pod: string,
    { container, follow, limitBytes, onData }: Parameters<KubernetesApi['readLog']>[2],
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      let controller: AbortController | null = null;
      let isOver = false;
      const end = (error: unknown) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(late);
        signal.removeEventListener('abort', stop);
        controller?.abort();
        if (signal.aborted) reject(signal.reason);
        else if (error === null) resolve();
        else reject(asFault(error));
      };
      const stop = () => end(null);
      const late = setTimeout(() => end(new Error('no answer in time')), FIRST_BYTE_MS);
      signal.addEventListener('abort', stop);
      const sink = new Writable({
        write: (data: Buffer, _encoding, done) => {
          if (!isOver) onData(data);
          done();
        },
      });
      sink.on('finish', () => end(null));
      sink.on('error', end);
      // The stream of the answer does not pass its error on to the sink.
      sink.on('pipe', (source) => source.on('error', end));
      this.#log.log(namespace, pod, container, sink, { follow, limitBytes }).then((one) => {
        clearTimeout(late);
        controller = one;
        if (isOver) one.abort();
      }, end);
    });
  }

  listNodes(signal: AbortSignal): Promise<List> {
    return this.#list((page, options) => this.#core.listNode(page, options), signal);
  }

  readNode(name: string, signal: AbortSignal): Promise<unknown> {
    return this.#ask((options) => this.#core.readNode({ name }, options), signal);
  }

  /** All pages of a list. */
  async #list(
    call: (page: { limit: number; _continue?: string }, options: object) => Promise<Listed>,
    signal: AbortSignal,
  ): Promise<List> {
    const items: unknown[] = [];
    for (let next: string | undefined; ; ) {
      const page = { limit: 500, ...(next === undefined ? {} : { _continue: next }) };
      const { items: more = [], metadata = {} } = await this.#ask((options) => call(page, options), signal);
      items.push(...more);
      next = metadata._continue || undefined;
      if (next === undefined) return { items, version: metadata.resourceVersion ?? '' };
    }
  }

  async #ask<T>(call: (options: object) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const { Observable } = this.#client;
    const withSignal = {
      pre: (request: { setSignal(signal: AbortSignal): void }) => {
        request.setSignal(limited);
        return new Observable(Promise.resolve(request));
      },
      post: (response: unknown) => new Observable(Promise.resolve(response)),
    };
    try {
      return await call({ middleware: [withSignal], middlewareMergeStrategy: 'append' });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw asFault(error);
    }
  }
}

/** Also an error without a status, from the network or from reading the credential. */
function asFault(error: unknown): KubernetesError {
  if (error instanceof KubernetesError) return error;
  const { code, statusCode, body, message } = error as {
    code?: unknown;
    statusCode?: unknown;
    body?: unknown;
    message?: string;
  };
  const status = typeof code === 'number' ? code : statusCode;
  if (typeof status === 'number') return faultOf(status, body ?? message, error);
  return new KubernetesError('AWAY', `Kubernetes does not answer: ${message ?? String(error)}`, {
    cause: error,
  });
}
