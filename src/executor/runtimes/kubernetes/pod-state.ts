import { isRecord } from '../../../values/json.ts';
import type { RunFailure, WorkEnd } from '../../host/runtime.ts';
import { COMMAND, labels } from './pod-manifest.ts';

/** Pure rules: what the state of a pod means for its run. */

/** What we need to know of a pod. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  /** Empty if it is not one of ours. */
  readonly runId: string;
  /** Whether it only keeps the name of a run that must never begin. */
  readonly isClosed: boolean;
  readonly createdAt: Date | null;
  /** Whether somebody has asked for its end. */
  readonly isLeaving: boolean;
  readonly node: string | null;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  /** Whether a kubelet has taken it. */
  readonly isTaken: boolean;
  readonly conditions: readonly Condition[];
  readonly command: CommandState | null;
}

interface Condition {
  readonly type: string;
  readonly isTrue: boolean;
  readonly reason: string;
  readonly message: string;
}

/** The state of the container of the command. */
export interface CommandState {
  readonly kind: 'WAITING' | 'RUNNING' | 'TERMINATED';
  readonly reason: string;
  readonly message: string;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly exitCode: number;
}

/** Null if the object is not a pod. */
export function readPod(object: unknown): Pod | null {
  const { metadata, spec, status } = recordOf(object);
  const meta = recordOf(metadata);
  const name = textOf(meta['name']);
  if (name === '') return null;
  const own = recordOf(meta['labels']);
  const state = recordOf(status);
  const statuses = listOf(state['containerStatuses']).map(recordOf);
  return {
    name,
    uid: textOf(meta['uid']),
    runId: textOf(own[labels.run]),
    isClosed: own[labels.closed] === 'true',
    createdAt: dateOf(meta['creationTimestamp']),
    isLeaving: dateOf(meta['deletionTimestamp']) !== null,
    node: textOf(recordOf(spec)['nodeName']) || null,
    phase: textOf(state['phase']),
    reason: textOf(state['reason']),
    message: textOf(state['message']),
    isTaken: dateOf(state['startTime']) !== null,
    conditions: listOf(state['conditions']).map(recordOf).map(readCondition),
    command: readCommand(statuses.find((one) => one['name'] === COMMAND)),
  };
}

const readCondition = (condition: Record<string, unknown>): Condition => ({
  type: textOf(condition['type']),
  isTrue: condition['status'] === 'True',
  reason: textOf(condition['reason']),
  message: textOf(condition['message']),
});

function readCommand(status: Record<string, unknown> | undefined): CommandState | null {
  const state = recordOf(status?.['state']);
  const [kind, detail] = isRecord(state['terminated'])
    ? (['TERMINATED', state['terminated']] as const)
    : isRecord(state['running'])
      ? (['RUNNING', state['running']] as const)
      : (['WAITING', recordOf(state['waiting'])] as const);
  if (status === undefined) return null;
  return {
    kind,
    reason: textOf(detail['reason']),
    message: textOf(detail['message']),
    startedAt: dateOf(detail['startedAt']),
    finishedAt: dateOf(detail['finishedAt']),
    exitCode: typeof detail['exitCode'] === 'number' ? detail['exitCode'] : 0,
  };
}

/** Whether nothing of it runs any more. */
export const isOver = ({ phase }: Pod): boolean => phase === 'Succeeded' || phase === 'Failed';

/** When the command began; null if it has not, or if the pod does not tell. */
export function begunAt({ command }: Pod): Date | null {
  if (command === null || command.kind === 'WAITING') return null;
  // If the container could not be started, Kubernetes writes the year 1970.
  return command.startedAt !== null && command.startedAt.getTime() > 0 ? command.startedAt : null;
}

/** Why a pod waits. Each has its own limit. */
export type Wait = 'NO_NODE' | 'NO_IMAGE' | 'BAD_IMAGE' | 'FAULT' | 'SLOW';

const NO_IMAGE = ['ErrImagePull', 'ImagePullBackOff', 'ImageInspectError', 'RegistryUnavailable'];
const ORDINARY = ['', 'ContainerCreating', 'PodInitializing'];

/** Null if it does not wait. */
export function waitOf({ node, phase, command }: Pod): Wait | null {
  if (phase !== 'Pending' && phase !== '' && command?.kind !== 'WAITING') return null;
  if (command !== null && command.kind !== 'WAITING') return null;
  if (node === null) return 'NO_NODE';
  const reason = command?.reason ?? '';
  if (reason === 'InvalidImageName') return 'BAD_IMAGE';
  if (NO_IMAGE.includes(reason)) return 'NO_IMAGE';
  return ORDINARY.includes(reason) ? 'SLOW' : 'FAULT';
}

const MINUTE = 60_000;

/** How long a pod may wait so before its run is returned. Source: Armada. */
export const waitLimits: Readonly<Record<Wait, number>> = {
  BAD_IMAGE: 0,
  NO_NODE: 5 * MINUTE,
  NO_IMAGE: 15 * MINUTE,
  FAULT: 5 * MINUTE,
  SLOW: 10 * MINUTE,
};

/** What Kubernetes says about a pod that waits, for people. */
export function whyWaits(pod: Pod): string {
  const { command, conditions } = pod;
  const unscheduled = conditions.find(({ type, isTrue }) => type === 'PodScheduled' && !isTrue);
  const said =
    pod.node === null ? [unscheduled?.reason, unscheduled?.message] : [command?.reason, command?.message];
  return said.filter(Boolean).join(': ') || 'Kubernetes says nothing about it';
}

/** What is known about a run when it is over. */
export interface Known {
  /** Null if the pod is gone. */
  readonly pod: Pod | null;
  /** What the pod was last, if it is gone; null if we have never seen it. */
  readonly last: Pod | null;
  /** Whether the command has begun, as far as we have ever seen. */
  readonly hasBegun: boolean;
  /** Why we have given the pod up while it waited. */
  readonly givenUp: { readonly why: string; readonly wait: Wait } | null;
}

/** How a run has ended whose pod is over or gone. */
export function endOf({ pod, last, hasBegun, givenUp }: Known): WorkEnd {
  const seen = pod ?? last;
  const command = seen?.command ?? null;
  const disruption = seen === null ? null : disruptionOf(seen);
  if (seen !== null && command?.kind === 'TERMINATED') {
    const isUnknown = command.reason === 'ContainerStatusUnknown';
    if (begunAt(seen) === null && !isUnknown && command.exitCode !== 0)
      return failed(
        'USER',
        'CannotStart',
        `the container cannot start: ${command.message || command.reason}`,
      );
    if (command.exitCode === 0 && seen.phase !== 'Failed') return exited(0);
    if (disruption !== null) return { kind: 'FAILED', failure: disruption };
    if (isUnknown)
      return failed('SYSTEM', 'NodeFailed', 'the node of the pod does not know how its command ended');
    if (command.reason === 'OOMKilled')
      return failed(
        'USER',
        'OutOfMemory',
        'Kubernetes has ended the command because it used more memory than its limit',
      );
    if (seen.isLeaving && givenUp === null) return { kind: 'FAILED', failure: deleted };
    return exited(command.exitCode);
  }
  if (hasBegun || (seen !== null && (command?.kind === 'RUNNING' || mayHaveBegun(seen)))) {
    if (disruption !== null) return { kind: 'FAILED', failure: disruption };
    if (last?.isLeaving) return { kind: 'FAILED', failure: deleted };
    return failed('SYSTEM', 'RunLost', 'the pod is gone and nobody knows how its command ended');
  }
  if (givenUp?.wait === 'BAD_IMAGE') return failed('USER', 'InvalidImageName', givenUp.why);
  if (givenUp !== null) return notBegun(givenUp.why, true);
  if (seen?.isClosed) return notBegun('the run was stopped before its pod was created', false);
  if (disruption !== null)
    return notBegun(disruption.message, disruption.code !== 'Preempted' && disruption.code !== 'Evicted');
  if (pod !== null)
    return notBegun([pod.reason, pod.message].filter(Boolean).join(': ') || 'the pod did not start', true);
  return { kind: 'FAILED', failure: deleted };
}

/** The reasons with which a kubelet refuses a pod before it starts anything. */
const REFUSALS =
  /^(OutOf.*|NodeAffinity|NodeName|UnexpectedAdmissionError|TopologyAffinityError|PodOSNotSupported|PodOSSelectorNodeLabelDoesNotMatch|NodeShutdown|AppArmor|InvalidNodeInfo)$/;

/** Whether a pod that says nothing about its container could have run the command. */
function mayHaveBegun({ phase, command, isTaken, reason, message }: Pod): boolean {
  if (phase === 'Running') return true;
  if (command !== null || phase !== 'Failed' || !isTaken) return false;
  const isRefused = REFUSALS.test(reason) || /^(Pod was rejected|The node had condition)/.test(message);
  return !isRefused;
}

/** Why Kubernetes has taken the node away from a pod; null if it has not. */
function disruptionOf({ reason, message, conditions }: Pod): RunFailure | null {
  const target = conditions.find(({ type, isTrue }) => type === 'DisruptionTarget' && isTrue);
  const said = (target?.message || message) && `: ${target?.message || message}`;
  if (reason === 'DeadlineExceeded')
    return {
      code: 'DeadlineExceeded',
      message: 'Kubernetes has ended the pod because its time was over',
      kind: 'USER',
    };
  if (target?.reason === 'PreemptionByScheduler' || reason === 'Preempting')
    return system('Preempted', `Kubernetes has preempted the pod${said}`);
  if (
    target?.reason === 'DeletionByTaintManager' ||
    target?.reason === 'DeletionByPodGC' ||
    reason === 'NodeLost'
  )
    return system('NodeFailed', `the node of the pod has failed${said}`);
  if (
    reason === 'Evicted' ||
    target?.reason === 'EvictionByEvictionAPI' ||
    target?.reason === 'TerminationByKubelet'
  )
    return system('Evicted', `Kubernetes has evicted the pod${said}`);
  if (reason === 'Terminated' || reason === 'Shutdown' || reason === 'NodeShutdown')
    return system('NodeFailed', `the node of the pod was shut down${said}`);
  return null;
}

const system = (code: string, message: string): RunFailure => ({ code, message, kind: 'SYSTEM' });
const deleted = system('DeletedOutside', 'somebody has deleted the pod in Kubernetes');

const failed = (kind: RunFailure['kind'], code: string, message: string): WorkEnd => ({
  kind: 'FAILED',
  failure: { code, message, kind },
});
const exited = (code: number): WorkEnd => ({ kind: 'EXITED', exit: { code, signal: null } });
const notBegun = (reason: string, isFault: boolean): WorkEnd => ({ kind: 'NOT_BEGUN', reason, isFault });

const recordOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The client gives Dates, and a watch gives texts. */
function dateOf(value: unknown): Date | null {
  const date = value instanceof Date ? value : typeof value === 'string' ? new Date(value) : null;
  return date === null || Number.isNaN(date.getTime()) ? null : date;
}
