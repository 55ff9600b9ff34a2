/**
 * What the runtime asks of Kubernetes, each call sent once. Calls fail with a KubernetesError, which says whether the
 * same call can succeed later, or with the reason of their signal. Answers are JSON objects of Kubernetes; dates can be
 * texts or Dates.
 */
export interface KubernetesApi {
  createPod(namespace: string, pod: object, signal: AbortSignal): Promise<unknown>;
  readPod(namespace: string, name: string, signal: AbortSignal): Promise<unknown>;
  /** Resolves when Kubernetes has accepted it. The pod goes later. @param options.uid  deletes only this pod. */
  deletePod(
    namespace: string,
    name: string,
    options: { readonly graceSeconds: number; readonly uid?: string | null },
    signal: AbortSignal,
  ): Promise<void>;
  /** @param namespace  null: of all namespaces. */
  listPods(namespace: string | null, selector: Selector, signal: AbortSignal): Promise<List>;
  /**
   * Calls `onEvent` for each change after `version`. Resolves when the server ends the watch, at the latest after
   * `timeoutSeconds`.
   */
  watchPods(namespace: string, options: WatchOptions, signal: AbortSignal): Promise<void>;
  /** Calls `onData` for each piece of the log. Resolves at the end of the log. */
  readLog(namespace: string, pod: string, options: LogOptions, signal: AbortSignal): Promise<void>;
  listNodes(signal: AbortSignal): Promise<List>;
  readNode(name: string, signal: AbortSignal): Promise<unknown>;
}

export interface Selector {
  readonly labels?: string;
  readonly fields?: string;
}

export interface List {
  readonly items: readonly unknown[];
  /** Where a watch begins. */
  readonly version: string;
}

export interface WatchOptions {
  readonly labels: string;
  readonly version: string;
  readonly timeoutSeconds: number;
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`, and the object. */
  onEvent(type: string, object: unknown): void;
}

export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  /** The log ends after so many bytes. */
  readonly limitBytes?: number;
  onData(data: Buffer): void;
}

/**
 * AWAY: the API server does not answer, or is busy. UNAUTHENTICATED: the credential is wrong or has expired. FULL: a
 * quota is used up. NOT_FOUND: there is no such object. EXISTS: there is one with this name. CHANGED: the object is not
 * the one that was meant. EXPIRED: the version is too old to watch from. REFUSED: the call will never be accepted.
 */
export type KubernetesFault =
  | 'AWAY'
  | 'UNAUTHENTICATED'
  | 'FULL'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'CHANGED'
  | 'EXPIRED'
  | 'REFUSED';

export class KubernetesError extends Error {
  override name = this.constructor.name;
  readonly fault: KubernetesFault;
  /** Whether the executor itself lacks a right. */
  readonly isForbidden: boolean;

  constructor(
    fault: KubernetesFault,
    message: string,
    { cause, isForbidden = false }: { cause?: unknown; isForbidden?: boolean } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
    this.isForbidden = isForbidden;
  }
}

/** Whether the same call can succeed later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof KubernetesError && ['AWAY', 'UNAUTHENTICATED', 'FULL'].includes(error.fault);

export const isFault = (error: unknown, ...faults: KubernetesFault[]): boolean =>
  error instanceof KubernetesError && faults.includes(error.fault);

const MESSAGE_LIMIT = 500;

/** What an answer with a status above 299 means. The body is a Status of Kubernetes, as an object or as JSON, or text. */
export function faultOf(status: number, body: unknown, cause?: unknown): KubernetesError {
  const told = statusOf(body);
  const message = (told.message || `HTTP ${status}`).replace(/\s+/g, ' ').slice(0, MESSAGE_LIMIT);
  const fault = (): KubernetesFault => {
    switch (status) {
      case 401:
        return 'UNAUTHENTICATED';
      case 403:
        return /exceeded quota/.test(message) ? 'FULL' : 'REFUSED';
      case 404:
        return 'NOT_FOUND';
      case 409:
        return told.reason === 'AlreadyExists' ? 'EXISTS' : 'CHANGED';
      case 410:
        return 'EXPIRED';
      default:
        return status >= 400 && status < 500 && ![408, 425, 429].includes(status) ? 'REFUSED' : 'AWAY';
    }
  };
  // `User "…" cannot create resource "pods"`: a rule of the cluster about this executor, not about this pod.
  const isForbidden = status === 403 && / cannot [a-z]+ resource /.test(message);
  return new KubernetesError(fault(), message, { cause, isForbidden });
}

function statusOf(body: unknown): { message: string; reason: string } {
  if (typeof body === 'string') {
    try {
      return statusOf(JSON.parse(body));
    } catch {
      return { message: body, reason: '' };
    }
  }
  const { message, reason } = (body ?? {}) as Record<string, unknown>;
  return {
    message: typeof message === 'string' ? message : '',
    reason: typeof reason === 'string' ? reason : '',
  };
}
