/**
 * What some tests need beyond Node and npm. Where it is missing they are skipped, by name and with the reason; with
 * REQUIRE_ALL=1 they fail instead, so that CI never passes by leaving them out.
 */
import { existsSync } from 'node:fs';

const needed = {
  chromium: () => {
    const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    return existsSync(path) ? null : `no Chromium at ${path}; install it or set CHROMIUM`;
  },
} as const;

export type Need = keyof typeof needed;

/**
 * Whether `tests` can run, for `describe.runIf(needs('chromium', 'GraphiQL in a browser'))`.
 *
 * @throws Error when they cannot, with REQUIRE_ALL=1.
 */
export function needs(need: Need, tests: string): boolean {
  const reason = needed[need]();
  if (!reason) return true;
  if (process.env['REQUIRE_ALL'] === '1') throw new Error(`${tests} cannot run: ${reason}`);
  process.stderr.write(`skipped: ${tests} (${reason})\n`);
  return false;
}
