/** Executors with machines, played by hand. */
import type { Answer, App } from '../support/app.ts';
import { leaseAs } from './stage.ts';

export interface FleetNode {
  readonly name: string;
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly labels?: readonly { readonly key: string; readonly value: string }[];
  readonly taints?: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  readonly unschedulable?: boolean;
}

/** An executor that says in each call what it has. */
export class FleetExecutor {
  readonly #app: App;
  readonly name: string;
  readonly nodes: FleetNode[];
  readonly pool: string;
  readonly known = new Set<string>();

  constructor(app: App, name: string, { nodes = [] as FleetNode[], pool = 'default' } = {}) {
    this.#app = app;
    this.name = name;
    this.nodes = nodes;
    this.pool = pool;
  }

  /** One call. What it is given is named in the next, unless `forget` is set. */
  async call({ maxJobs = 10, forget = false } = {}): Promise<Answer> {
    const { name: executor, nodes, pool } = this;
    const answer = await leaseAs(this.#app, {
      ...{ executor, nodes, pool, knownRuns: [...this.known], maxJobs, wait: 'PT0S' },
    });
    if (!answer.runs) throw new Error(JSON.stringify(answer));
    if (!forget) for (const { id } of answer.runs) this.known.add(id);
    return answer;
  }
}

export const node = (name: string, cpu = '4', more: Partial<FleetNode> = {}): FleetNode => ({
  name,
  allocatable: { cpu, memory: '8Gi' },
  ...more,
});
