/**
 * How Node is started for a process of Slipway, as in the scripts of package.json:
 *
 * - a young generation of 32 MB, so that what a request makes is gone before it is copied;
 * - no guesses of V8 about which objects will live long: under load it takes rows and their instants for such, and then
 *   each request leaves garbage among the old objects;
 * - old objects are collected when there are twice as many as after the last time, not four times.
 */
export const nodeFlags: readonly string[] = [
  '--max-semi-space-size=32',
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=100',
];
