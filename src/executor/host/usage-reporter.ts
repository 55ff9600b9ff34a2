import type { ReportUsageInput } from '../../generated/executor/graphql.ts';
import type { Log } from '../../platform/log.ts';
import { parseQuantity } from '../../values/quantities.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { reportUsageDocument } from './documents.ts';
import type { Requests, Runtime, RuntimeNode } from './runtime.ts';
import { type MeasuredUsage, UsageMeter } from './usage-meter.ts';

/** A run that works. */
export interface WorkingRun {
  readonly id: string;
  /** Null if an earlier release has left the run behind. */
  readonly queue: string | null;
  readonly requests: Requests;
}

export interface UsageOptions {
  readonly client: ApiClient;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly name: string;
  readonly instance: string;
  runs(): readonly WorkingRun[];
  /** How often to measure, and how often to report. */
  readonly sampleMs?: number;
  readonly reportMs?: number;
}

const SAMPLE_MS = 15_000;
const REPORT_MS = 300_000;

/**
 * Measures what the runs use, and tells the server every few minutes. A report that fails is not repeated, because the
 * next one replaces it. Does nothing if the runtime cannot measure.
 *
 * @returns a function that stops it.
 */
export function startUsageReports(options: UsageOptions): () => Promise<void> {
  const {
    client,
    runtime,
    log,
    name: executor,
    instance,
    sampleMs = SAMPLE_MS,
    reportMs = REPORT_MS,
  } = options;
  const { usage } = runtime;
  if (!usage) return async () => {};
  const ending = new AbortController();
  const meter = new UsageMeter();
  let reportAt = performance.now() + reportMs;
  let working: Promise<void> | null = null;

  async function turn(): Promise<void> {
    const runs = options.runs();
    meter.add(
      performance.now(),
      (await usage?.call(
        runtime,
        runs.map(({ id }) => id),
      )) ?? new Map(),
    );
    if (performance.now() < reportAt) return;
    reportAt = performance.now() + reportMs;
    const reported = usageInput(runs, meter.take(), await runtime.nodes());
    const input = { executor, instance, reportedAt: new Date().toISOString(), ...reported };
    const answer = await client.ask(reportUsageDocument, { input }, { signal: ending.signal });
    payloadOf(answer.reportUsage, 'ReportUsagePayload');
  }

  const timer = setInterval(() => {
    working ??= turn()
      .catch((error) => {
        if (!ending.signal.aborted) log.warn({ reason: (error as Error).message }, 'cannot report usage');
      })
      .finally(() => {
        working = null;
      });
  }, sampleMs);
  return async () => {
    clearInterval(timer);
    ending.abort();
    await working;
  };
}

/** What the runs and the machines use, in the form of the API. All machines count as one type. */
export function usageInput(
  runs: readonly WorkingRun[],
  measured: ReadonlyMap<string, MeasuredUsage>,
  nodes: readonly RuntimeNode[],
): Pick<ReportUsageInput, 'nodeTypes' | 'runs'> {
  const capacity = sumOf(nodes);
  const names = [...new Set(runs.flatMap(({ queue }) => queue ?? []))].sort();
  const queues = names.map((name) => {
    const mine = runs.filter(({ queue }) => queue === name);
    const used = mine.flatMap(({ id }) => measured.get(id)?.average ?? []);
    return {
      name,
      resources: quantities(mine.map(({ requests }) => requests)),
      resourcesUsed: quantities(used),
      runsByState: [{ state: 'RUNNING' as const, count: mine.length }],
    };
  });
  const total = { totalNodes: nodes.length, schedulableNodes: nodes.length };
  return {
    nodeTypes: [{ nodeType: 'default', capacity, availableCapacity: capacity, ...total, queues }],
    runs: [...measured].map(([run, { max, average, cpuTotalMillis }]) => ({
      run,
      maxResources: quantities([max]),
      avgResources: quantities([average]),
      cumulativeUsage: { cpu: `${cpuTotalMillis}m` },
    })),
  };
}

function quantities(amounts: readonly { readonly cpuMillis: number; readonly memoryBytes: number }[]) {
  const cpuMillis = amounts.reduce((all, one) => all + one.cpuMillis, 0);
  const memoryBytes = amounts.reduce((all, one) => all + one.memoryBytes, 0);
  return { cpu: `${cpuMillis}m`, memory: String(memoryBytes) };
}

/** What several machines have together, as whole units, and CPUs as thousandths. */
function sumOf(nodes: readonly RuntimeNode[]): Record<string, string> {
  const sums = new Map<string, bigint>();
  for (const { allocatable } of nodes)
    for (const [name, text] of Object.entries(allocatable)) {
      const quantity = parseQuantity(text);
      if (!quantity) continue;
      const amount = (quantity.numerator * (name === 'cpu' ? 1000n : 1n)) / quantity.denominator;
      sums.set(name, (sums.get(name) ?? 0n) + amount);
    }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, `${sum}${name === 'cpu' ? 'm' : ''}`]));
}
