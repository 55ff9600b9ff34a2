import { forgetFormerNodes } from '../jobs/store/rejections.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { type Loop, startLoop } from './loop.ts';

const HOUR_MS = 3_600_000;

/** How many rows one statement deletes. */
const BATCH = 1000;

/** Starts the loop that forgets nodes which left long ago. */
export const startFormerNodeSweep = (): Loop =>
  startLoop({
    name: 'sweep-former-nodes',
    everyMs: HOUR_MS,
    concurrency: 1,
    due: async () => ['every pool'],
    each: async () => (await forgetFormerNodes(controlPlaneConfig.fleetMemorySeconds, BATCH)) === BATCH,
  });
