import { LRUCache } from 'lru-cache';
import { rejectBrokenGangs } from '../jobs/commands/reject-broken-gangs.ts';
import type { GangPlace } from '../jobs/store/waiting-gangs.ts';
import { type Loop, startLoop } from './loop.ts';
import { poolOf } from './store.ts';

/** Only jobs in pools without executors wait for this look. */
const LOOK_MS = 10_000;

/** Where the next look at a pool goes on. If it is forgotten, a look begins with the first gang. */
const places = new LRUCache<string, GangPlace>({ max: 1000 });

/** Looks at the next gangs of a pool, and rejects the jobs that wait for one that can never start. */
export async function rejectGangsOf(pool: string): Promise<void> {
  const { next } = await rejectBrokenGangs(poolOf(pool), places.get(pool) ?? null);
  if (next) places.set(pool, next);
  else places.delete(pool);
}

/**
 * Starts the loop that rejects jobs that wait for a gang that can never start, in whatever pool: nobody looks at a pool
 * without executors unless there is news of it. It goes through the gangs of all tenants, some of them in each look.
 */
export function startGangLoop(): Loop {
  let place: GangPlace | null = null;
  return startLoop({
    name: 'reject-broken-gangs',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: async () => ['every pool'],
    each: async () => {
      ({ next: place } = await rejectBrokenGangs(null, place));
    },
  });
}
