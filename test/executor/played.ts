/** A server and a runtime that the test controls, and which keep what the executor tells them. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError } from '../../src/executor/host/api-error.ts';
import type { ApiClient, CallOptions } from '../../src/executor/host/client.ts';
import {
  leaseJobsDocument,
  reportJobEventsDocument,
  reportRunLogDocument,
  returnLeaseDocument,
} from '../../src/executor/host/documents.ts';
import type { Runtime, Work, WorkEnd } from '../../src/executor/host/runtime.ts';
import { waitUntil } from './fixture.ts';

export interface Poll {
  readonly knownRuns: readonly string[];
  readonly stoppingRuns: readonly string[];
  readonly maxJobs: number;
  readonly wait: string;
  readonly nodes: readonly object[];
  readonly timeoutMs: number;
  answer(runs: readonly string[], more?: { cancelRuns?: readonly string[]; leaseDuration?: string }): void;
  /** @param retryAfterMs  how long the server asks to wait. */
  fail(retryAfterMs?: number): void;
}

/** A call that only says that the executor stops. */
interface SignOff {
  readonly knownRuns: readonly string[];
  readonly maxJobs: number;
  readonly isLast: boolean;
  readonly timeoutMs: number;
}

export class PlayedServer implements ApiClient {
  readonly polls: Poll[] = [];
  readonly said: string[] = [];
  readonly signOffs: SignOff[] = [];
  isSigningOff = false;
  /** What is different about some runs that are assigned. */
  readonly changes = new Map<string, object>();
  /** What the answer to the first sign-off assigns. */
  assignedLast: string[] = [];

  async ask(document: unknown, variables: unknown, options: CallOptions): Promise<never> {
    const { input } = variables as { input: Record<string, never> };
    return (await this.#answer(document, input, options)) as never;
  }

  insist: ApiClient['insist'] = (document, variables, options) =>
    this.ask(document, variables, options) as Promise<never>;

  #answer(document: unknown, input: Record<string, unknown>, options: CallOptions): unknown {
    if (document === leaseJobsDocument) return this.#poll(input as never, options);
    if (document === returnLeaseDocument) {
      this.said.push(`returned ${input['run']} ${input['attempted'] ? 'attempted' : 'untouched'}`);
      return { returnLease: { __typename: 'ReturnLeasePayload', returned: true } };
    }
    if (document === reportJobEventsDocument) {
      const [event] = input['events'] as { kind: string; run: string }[];
      this.said.push(`${event?.kind} ${event?.run}`);
      return { reportJobEvents: { __typename: 'ReportJobEventsPayload', outcomes: ['APPLIED'] } };
    }
    if (document === reportRunLogDocument)
      return { reportRunLog: { __typename: 'ReportRunLogPayload', stored: 0 } };
    throw new Error('not a call of this test');
  }

  #poll(
    input: Omit<Poll, 'answer' | 'fail' | 'timeoutMs'> & { isLast: boolean },
    { signal, timeoutMs = 0 }: CallOptions,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const answer: Poll['answer'] = (ids, { cancelRuns = [], leaseDuration = 'PT30S' } = {}) => {
        const runs = ids.map((id) => ({ ...leasedRun(id), ...this.changes.get(id) }));
        resolve({ leaseJobs: { __typename: 'LeaseJobsPayload', runs, cancelRuns, leaseDuration } });
      };
      if (this.isSigningOff) {
        this.signOffs.push({ ...input, timeoutMs });
        return answer(this.assignedLast.splice(0));
      }
      signal.addEventListener('abort', () => reject(signal.reason));
      const fail: Poll['fail'] = (retryAfterMs) =>
        reject(new ApiError('UNAVAILABLE', 'away', { retryAfterMs: retryAfterMs ?? null }));
      this.polls.push({ ...input, timeoutMs, answer, fail });
    });
  }

  /** The call with this number, from 0, after it was made. */
  async poll(number: number): Promise<Poll> {
    await waitUntil(() => this.polls.length > number, `call ${number} was made`);
    return this.polls[number] as Poll;
  }
}

export const resources = { requests: [{ name: 'CPU', value: '2' }], limits: [] };
const leasedRun = (id: string) => ({
  id,
  jobId: id,
  container: { image: '', command: [], args: [], env: [], resources },
  interface: { inputs: {}, outputs: {} },
  inputs: {},
  environment: {},
  activeDeadline: 'PT1M30S',
  terminationGrace: 'PT1S',
  inputBlobs: [],
});

/** Commands that end when the test says so. */
export class PlayedRuntime implements Runtime {
  readonly folder = mkdtempSync(join(tmpdir(), 'slipway-played-'));
  whenStopped: Runtime['whenStopped'] = 'END';
  capacity: Runtime['capacity'] = null;
  readonly begun: string[] = [];
  readonly works: Work[] = [];
  readonly stopped: string[] = [];
  readonly forgotten: string[] = [];
  /** Runs that were started, but whose commands have not begun. */
  isSlow = false;
  /** The runs that cannot be ended. */
  readonly stuck = new Set<string>();
  /** How many times each run was asked to end. */
  readonly cancels: string[] = [];
  /** How runs end, if not with exit code 0. */
  readonly workEnds = new Map<string, WorkEnd>();
  readonly #ends = new Map<string, { promise: Promise<void>; end(): void }>();

  nodes: Runtime['nodes'] = async () => [{ name: 'played', allocatable: { cpu: '4', memory: '8Gi' } }];

  start: Runtime['start'] = async (work) => {
    this.works.push(work);
    this.begun.push(work.runId);
    return { runId: work.runId };
  };

  find: Runtime['find'] = async (runId) => ({ runId });

  attach: Runtime['attach'] = async ({ runId }, { signal, onBegun }) => {
    if (!this.isSlow) onBegun(new Date());
    await new Promise<void>((resolve, reject) => {
      this.#endOf(String(runId)).promise.then(resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };

  /** Ends only when the test says so, too. */
  cancel: Runtime['cancel'] = async (handle) => {
    const runId = String(handle['runId']);
    this.cancels.push(runId);
    if (this.stuck.has(runId)) return { isGone: false, message: 'one process survived SIGKILL' };
    const { promise } = this.#endOf(runId);
    if (!this.#hasEnded.has(runId)) this.stopped.push(runId);
    await promise;
    return { isGone: true };
  };
  readonly #hasEnded = new Set<string>();

  collect: Runtime['collect'] = async ({ runId }) =>
    this.workEnds.get(String(runId)) ?? { kind: 'EXITED', exit: { code: 0, signal: null } };

  forget: Runtime['forget'] = async ({ runId }) => {
    this.forgotten.push(String(runId));
  };

  end(runId: string, end?: WorkEnd): void {
    if (end) this.workEnds.set(runId, end);
    this.#hasEnded.add(runId);
    this.#endOf(runId).end();
  }

  #endOf(runId: string) {
    const known = this.#ends.get(runId);
    if (known) return known;
    let end = () => {};
    const promise = new Promise<void>((resolve) => {
      end = resolve;
    });
    const one = { promise, end };
    this.#ends.set(runId, one);
    return one;
  }
}
