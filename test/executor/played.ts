/** A server and a runtime that the test controls, and which keep what the executor tells them. */
import { ApiError } from '../../src/executor/host/api-error.ts';
import type { ApiClient, CallOptions } from '../../src/executor/host/client.ts';
import {
  leaseJobsDocument,
  reportJobEventsDocument,
  returnLeaseDocument,
} from '../../src/executor/host/documents.ts';
import type { RunOutcome, RunSpec, Runtime } from '../../src/executor/host/runtime.ts';
import { waitUntil } from './fixture.ts';

export interface Poll {
  readonly knownRuns: readonly string[];
  readonly stoppingRuns: readonly string[];
  readonly maxJobs: number;
  readonly wait: string;
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
    throw new Error('not a call of this test');
  }

  #poll(
    input: Omit<Poll, 'answer' | 'fail' | 'timeoutMs'> & { isLast: boolean },
    { signal, timeoutMs = 0 }: CallOptions,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const answer: Poll['answer'] = (runs, { cancelRuns = [], leaseDuration = 'PT30S' } = {}) =>
        resolve({
          leaseJobs: { __typename: 'LeaseJobsPayload', runs: runs.map(leasedRun), cancelRuns, leaseDuration },
        });
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

export class PlayedRuntime implements Runtime {
  readonly begun: string[] = [];
  readonly specs: RunSpec[] = [];
  readonly stopped: string[] = [];
  leftovers: string[] = [];
  /** Whether the command of a run cannot be started. */
  isSlow = false;
  readonly #ends = new Map<string, (outcome: RunOutcome) => void>();

  run: Runtime['run'] = (spec, { signal, onStarted }) => {
    const { runId } = spec;
    this.specs.push(spec);
    this.begun.push(runId);
    if (!this.isSlow) onStarted();
    return new Promise((resolve) => {
      this.#ends.set(runId, resolve);
      signal.addEventListener('abort', () => this.stopped.push(runId));
    });
  };

  reapLeftovers: Runtime['reapLeftovers'] = async () => this.leftovers;

  end(
    runId: string,
    outcome: RunOutcome = { kind: 'SUCCEEDED', outputs: {}, outputLiterals: {}, exitCode: 0 },
  ): void {
    this.#ends.get(runId)?.(outcome);
  }
}
