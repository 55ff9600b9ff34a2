/**
 * For soaks, in which something happens by the clock, such as a kill every second. Tests wait for a cause instead, with
 * `eventually`: nothing that a soak asserts may depend on how long this took.
 */
import { setTimeout } from 'node:timers/promises';

export const pause = (ms: number): Promise<void> => setTimeout(ms);
