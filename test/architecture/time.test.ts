import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** How tests use time. A test must not depend on how busy the machine is. */

const folder = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !/^(support|generated)\//.test(name),
);

const forbidden: readonly (readonly [string, RegExp])[] = [
  ['sleeps', /\bsetTimeout\(|from 'node:timers\/promises'/],
  ['measures how long something takes', /\bperformance\.now\(|Date\.now\(\) - [a-z]/i],
  ['waits for a second at most', /\bvi\.waitFor\(|\bexpect\s*\.poll\(/],
];

describe('a test', () => {
  it.each(forbidden)(
    'never %s: it waits for a cause, with `eventually`, or moves the clock itself',
    (_what, form) => {
      const found = files.flatMap((name) =>
        readFileSync(join(folder, name), 'utf8')
          .split('\n')
          .flatMap((line, index) => (form.test(line) ? [`${name}:${index + 1} ${line.trim()}`] : [])),
      );
      // The text of the rule itself.
      expect(found.filter((line) => !line.startsWith('architecture/time.test.ts'))).toEqual([]);
    },
  );
});
