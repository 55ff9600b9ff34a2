import { sweepExpiredRecords } from '../oauth/store/records.ts';
import { type Loop, startLoop } from './loop.ts';

const LOOK_MS = 600_000;

/** How many records one statement deletes. */
const BATCH = 1000;

/** Starts the loop that deletes codes, tokens, challenges and sessions that have expired. */
export const startOAuth2Sweep = (): Loop =>
  startLoop({
    name: 'sweep-oauth2-records',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: async () => ['every tenant'],
    each: async () => (await sweepExpiredRecords(BATCH)) === BATCH,
  });
