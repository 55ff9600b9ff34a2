import { type Loop, startLoop } from './loop.ts';
import { analyzeTable, listGrownTables } from './store.ts';

const LOOK_MS = 1000;

/**
 * Starts the loop that tells PostgreSQL of tables that have grown. PostgreSQL looks by itself only once a minute, and
 * until then it keeps plans that it made when the tables were small.
 */
export const startStatisticsLoop = (): Loop =>
  startLoop({
    name: 'refresh-statistics',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: listGrownTables,
    each: analyzeTable,
  });
