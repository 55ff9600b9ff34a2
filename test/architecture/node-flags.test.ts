import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeFlags } from '../../src/platform/node-flags.ts';

const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('the scripts of package.json', () => {
  it.each(['start', 'start:server', 'start:scheduler', 'start:executor'])(
    '%s starts Node as the supervisor starts its processes',
    (name) => {
      expect(scripts[name]).toMatch(/^node .+ dist\/bin\/[a-z]+\.js$/);
      expect(scripts[name]?.split(' ').slice(1, -1)).toEqual(nodeFlags);
    },
  );
});
