import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** In a program of its own, whose memory nobody else uses. */
const program = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { releaseMemory } from '${new URL('../../src/platform/release-memory.ts', import.meta.url).href}';
  const young = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
  let kept = [];
  for (let round = 0; round < 20; round += 1) kept = Array.from({ length: 100_000 }, (_, at) => ({ at, kept: kept[at] ?? null }));
  const before = young();
  kept = [];
  releaseMemory();
  process.stdout.write(JSON.stringify({ before, after: young() }));
`;

it('gives back the memory of new objects, which V8 keeps once it had needed it; not on Node 20', () => {
  const options = ['--max-semi-space-size=32', '--import', 'tsx', '--input-type=module', '--eval', program];
  const { before, after } = JSON.parse(execFileSync(process.execPath, options, { encoding: 'utf8' }));
  expect(before).toBeGreaterThan(30_000_000);
  const isNode20 = process.versions.node.startsWith('20.');
  if (isNode20) expect(after).toBe(before);
  else expect(after).toBeLessThan(5_000_000);
});
