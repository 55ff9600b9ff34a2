/** An executor played by hand through the public API: leases runs and says of them what the test wants. */
import { expect } from 'vitest';
import type { Answer, App } from './app.ts';
import { mutate } from './mutate.ts';

export interface Run {
  readonly id: string;
  readonly jobId: string;
  readonly inputs: Record<string, number>;
  readonly environment: Record<string, string>;
}

export class Hands {
  readonly #app: App;
  readonly name: string;
  readonly known = new Set<string>();

  constructor(app: App, name = 'hands') {
    this.#app = app;
    this.name = name;
  }

  /** One lease call. What it is given is named in the next, unless `forget` is set. */
  async lease({
    maxJobs = 10,
    wait = 'PT2S',
    forget = false,
    stopping = [] as readonly string[],
  } = {}): Promise<{ runs: Run[]; cancelRuns: string[] }> {
    const { runs, cancelRuns, refused } = await mutate(
      this.#app,
      'leaseJobs',
      { executor: this.name, knownRuns: [...this.known], stoppingRuns: stopping, maxJobs, wait },
      'runs { id jobId inputs environment } cancelRuns',
      this.#app.executor,
    );
    expect(refused).toBeUndefined();
    if (!forget) for (const run of runs) this.known.add(run.id);
    for (const id of cancelRuns) {
      this.known.delete(id);
      this.#toStop.add(id);
    }
    return { runs, cancelRuns };
  }

  /** Leases until there is a run of that node. */
  async leaseNode(nodeId: string): Promise<Run> {
    for (let tries = 0; tries < 20; tries += 1) {
      const { runs } = await this.lease({ wait: 'PT1S' });
      for (const run of runs) this.#waiting.push(run);
      const index = this.#waiting.findIndex((run) => run.environment['SLIPWAY_NODE_ID'] === nodeId);
      if (index >= 0) return this.#waiting.splice(index, 1)[0] as Run;
    }
    throw new Error(`no run of node ${nodeId} came`);
  }
  readonly #waiting: Run[] = [];

  async report(...events: object[]): Promise<string[]> {
    const answer = await mutate(
      this.#app,
      'reportJobEvents',
      { events: events.map((event) => ({ occurredAt: new Date().toISOString(), ...event })) },
      'outcomes',
      this.#app.executor,
    );
    expect(answer.refused).toBeUndefined();
    return answer.outcomes ?? answer;
  }

  start = (run: Run) => this.report({ run: run.id, kind: 'RUNNING' });

  async succeed(run: Run, outputs: object): Promise<string[]> {
    const outcomes = await this.report({ run: run.id, kind: 'SUCCEEDED', exitCode: 0, outputs });
    this.known.delete(run.id);
    return outcomes;
  }

  async fail(run: Run, kind: 'USER' | 'SYSTEM' = 'USER', code = 'NonZeroExit'): Promise<string[]> {
    const error = { code, message: 'it broke', kind };
    const outcomes = await this.report({ run: run.id, kind: 'FAILED', exitCode: 1, error });
    this.known.delete(run.id);
    return outcomes;
  }

  /** Tells that nothing is left of a run that the server wanted stopped. */
  async confirm(runId: string): Promise<string[]> {
    const outcomes = await this.report({ run: runId, kind: 'CANCELLED' });
    this.known.delete(runId);
    return outcomes;
  }

  /** Waits until the server wants runs stopped, and tells that they are. @returns their ids. */
  async stopCancelled(): Promise<string[]> {
    for (let tries = 0; tries < 20 && this.#toStop.size === 0; tries += 1) {
      // What was assigned before still comes.
      const { runs } = await this.lease({ maxJobs: 0, wait: 'PT1S' });
      this.#waiting.push(...runs);
    }
    const stopped = [...this.#toStop];
    if (stopped.length === 0) throw new Error('nothing was to be stopped');
    this.#toStop.clear();
    for (const id of stopped) await this.confirm(id);
    return stopped;
  }
  readonly #toStop = new Set<string>();

  async giveBack(run: Run, attempted: boolean): Promise<boolean> {
    const input = { run: run.id, reason: 'the test wants it so', attempted };
    const { returned } = await mutate(this.#app, 'returnLease', input, 'returned', this.#app.executor);
    this.known.delete(run.id);
    return returned;
  }

  /** Doubles every `x` that comes until the execution has ended. */
  async work(until: () => Promise<Answer>): Promise<void> {
    for (let turns = 0; turns < 200; turns += 1) {
      const { runs } = await this.lease({ wait: 'PT0.3S' });
      for (const run of runs) {
        await this.start(run);
        await this.succeed(run, { y: (run.inputs['x'] ?? 0) * 2 });
      }
      if (await until()) return;
    }
    throw new Error('it never ended');
  }
}
