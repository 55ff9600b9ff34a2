import type { JobSpec } from './job-spec.ts';
import { type Placement, shapeOf } from './placement.ts';
import type { MemoryChange } from './retry-policies.ts';
import { amountOf, nodeNameOf } from './scheduling/resources.ts';

/** What a job runs, and what decides where it can run. */
export interface PlacedJob extends Omit<Placement, 'shape'> {
  readonly spec: JobSpec;
}

/** The same job with another amount of memory. */
export interface RegrownJob {
  readonly spec: JobSpec;
  readonly resources: Placement['resources'];
  readonly shape: string;
}

const MEMORY = 'memory';

/**
 * Gives a job another amount of memory, in its request, in its limit, and for the scheduler. A limit is never below the
 * request: it grows by the same factor, or to the same fixed amount. Without a request there is nothing that a factor
 * could enlarge: null.
 */
export function withMemory(job: PlacedJob, change: MemoryChange): RegrownJob | null {
  const before = job.resources[MEMORY] ?? 0;
  if ('factor' in change && before === 0) return null;
  const isFixed = 'static' in change;
  const after = isFixed ? (amountOf(MEMORY, change.static) ?? before) : grown(before, change.factor);
  const { container } = job.spec;
  const resources = { ...job.resources, [MEMORY]: after };
  return {
    spec: {
      ...job.spec,
      container: {
        ...container,
        resources: {
          requests: withAmount(container.resources.requests, () => after, true),
          limits: withAmount(
            container.resources.limits,
            (limit) => Math.max(isFixed ? limit : grown(limit, change.factor), after),
            false,
          ),
        },
      },
    },
    resources,
    shape: shapeOf({ ...job, resources }),
  };
}

/** Rounded up, and larger by one byte at least. An amount that cannot be counted exactly any more stays at the largest. */
const grown = (bytes: number, factor: number): number =>
  Math.min(Math.max(Math.ceil(bytes * factor), bytes + 1), Number.MAX_SAFE_INTEGER);

type Entries = JobSpec['container']['resources']['requests'];

function withAmount(entries: Entries, toAmount: (bytes: number) => number, isAdded: boolean): Entries {
  const isMemory = ({ name }: { readonly name: string }) => nodeNameOf(name) === MEMORY;
  if (isAdded && !entries.some(isMemory)) return [...entries, { name: 'MEMORY', value: String(toAmount(0)) }];
  return entries.map((entry) =>
    isMemory(entry) ? { ...entry, value: String(toAmount(amountOf(entry.name, entry.value) ?? 0)) } : entry,
  );
}
