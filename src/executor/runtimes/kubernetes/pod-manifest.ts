import type { NamedQuantity } from '../../host/run-spec.ts';
import type { Work } from '../../host/runtime.ts';

/** Pure rules: the pod of a run. */

/** The name of the container that runs the command. */
export const COMMAND = 'command';

const PREFIX = 'slipway.dev/';
export const labels = {
  run: `${PREFIX}run`,
  job: `${PREFIX}job`,
  executor: `${PREFIX}executor`,
  /** On a pod that only keeps the name of a run that must never begin. */
  closed: `${PREFIX}closed`,
} as const;

/** All attempts to start a run give its pod this name, so that Kubernetes creates only one. */
export const podName = (runId: string) => `slipway-${runId}`;

/** Where the pod gets the files of its run. */
export type Files =
  /** A claim whose folder `subPath` is the directory of the run. */
  | { readonly claim: string; readonly subPath: string }
  /** Folders that go with the pod. */
  | 'EMPTY';

export interface PodRequest {
  readonly executor: string;
  readonly work: Work;
  readonly files: Files;
  readonly serviceAccount: string | null;
  /** The user and group of the executor, who owns shared files; null leaves it to the image. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

/** How long a pod may take to start, on top of the deadline of its command. */
const START_SECONDS = 20 * 60;

/**
 * Whole seconds, at least 1: with 0, Kubernetes forgets a pod at once, although its node may not have ended it.
 */
export const graceOf = (seconds: number): number => Math.max(1, Math.ceil(seconds));

/** The pod that runs the command of a run. */
export function podManifest({ executor, work, files, serviceAccount, user }: PodRequest): object {
  const { runId, jobId, container, placing, node, timeoutSeconds, directory } = work;
  const graceSeconds = graceOf(work.terminationGraceSeconds);
  const { volumes, volumeMounts } = mounts(work, files);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(runId),
      labels: {
        ...withoutOwn(placing.labels),
        [labels.run]: runId,
        [labels.job]: jobId,
        [labels.executor]: executor,
      },
      annotations: withoutOwn(placing.annotations),
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: graceSeconds,
      // A second limit, by Kubernetes, for work whose executor does not come back. It counts from the start of the pod.
      ...(timeoutSeconds === null
        ? {}
        : { activeDeadlineSeconds: Math.ceil(timeoutSeconds) + graceSeconds + START_SECONDS }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(serviceAccount === null ? {} : { serviceAccountName: serviceAccount }),
      ...(user === null ? {} : { securityContext: { runAsUser: user.uid, runAsGroup: user.gid } }),
      ...(Object.keys(placing.nodeSelector).length === 0 ? {} : { nodeSelector: placing.nodeSelector }),
      ...(node === null ? {} : { affinity: onNode(node) }),
      tolerations: placing.tolerations.map(({ key, operator, value, effect }) => ({
        operator,
        ...(key === '' ? {} : { key }),
        ...(value === '' ? {} : { value }),
        ...(effect === null ? {} : { effect }),
      })),
      volumes,
      containers: [
        {
          name: COMMAND,
          image: container.image,
          ...(container.command.length === 0 ? {} : { command: container.command.map(literally) }),
          ...(container.args.length === 0 ? {} : { args: container.args.map(literally) }),
          env: Object.entries(work.environment).map(([name, value]) => ({ name, value: literally(value) })),
          workingDir: directory.work,
          resources: resourcesOf(container.resources),
          volumeMounts,
          securityContext: { allowPrivilegeEscalation: false },
        },
      ],
    },
  };
}

/** A pod that no scheduler takes. It keeps the name, so that a pod of the run that is still under way is refused. */
export function closedPod(executor: string, runId: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(runId),
      labels: { [labels.run]: runId, [labels.executor]: executor, [labels.closed]: 'true' },
    },
    spec: {
      schedulerName: 'slipway-none',
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      // What the strictest policy of Kubernetes asks for.
      securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: COMMAND,
          image: 'none',
          resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}

/** Kubernetes replaces `$(NAME)`, and makes one `$` of two. A command gets what its task says. */
const literally = (text: string): string => text.replaceAll('$', '$$$$');

const withoutOwn = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).filter(([key]) => !key.startsWith(PREFIX)));

/** The same as what Kubernetes does for pods of a DaemonSet. The scheduler checks again what is free there. */
const onNode = (node: string) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  },
});

function mounts({ directory }: Work, files: Files) {
  if (files !== 'EMPTY')
    return {
      volumes: [{ name: 'run', persistentVolumeClaim: { claimName: files.claim } }],
      volumeMounts: [{ name: 'run', mountPath: directory.path, subPath: files.subPath }],
    };
  const { work, temporary, inputs, outputs } = directory;
  const all = Object.entries({ work, temporary, inputs, outputs });
  return {
    volumes: all.map(([name]) => ({ name, emptyDir: {} })),
    volumeMounts: all.map(([name, mountPath]) => ({ name, mountPath })),
  };
}

/** The names that Flyte has for resources. */
const kubernetesNames: Readonly<Record<string, string>> = {
  CPU: 'cpu',
  MEMORY: 'memory',
  GPU: 'nvidia.com/gpu',
  EPHEMERAL_STORAGE: 'ephemeral-storage',
};

function resourcesOf({ requests, limits }: Work['container']['resources']) {
  const [asked, most] = [amounts(requests), amounts(limits)];
  // Kubernetes shares out such a resource only in whole, so its request and its limit are the same.
  for (const [name, value] of Object.entries(asked)) if (name.includes('/')) most[name] ??= value;
  return { requests: asked, limits: most };
}

/** Flyte's STORAGE outlasts the container, so a pod cannot ask for it. */
const amounts = (quantities: readonly NamedQuantity[]): Record<string, string> =>
  Object.fromEntries(
    quantities
      .filter(({ name }) => name !== 'STORAGE')
      .map(({ name, value }) => [kubernetesNames[name] ?? name, value]),
  );
