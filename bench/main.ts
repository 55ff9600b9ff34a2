/**
 * Compares Slipway with other GraphQL servers on the same database: `npm run bench`. `bench/README.md` says what it
 * measures and which other forms there are.
 */
import { readFileSync } from 'node:fs';
import { faultsOf, gatedOf } from './run/gates.ts';
import { readOptions } from './run/options.ts';
import { readmeOf } from './run/readme.ts';
import { writeReport } from './run/report.ts';
import type { Results } from './run/results.ts';
import { runBench } from './run/run-bench.ts';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const [first, ...others] = process.argv.slice(2);
if (first === 'readme') printReadme(others);
else if (first === 'compile-workflow') (await import('./run/compile-workflow.ts')).measureCompiler();
else if (first === 'lease-latency')
  await (await import('./run/lease-latency.ts')).measureLeases(others.map(Number));
else process.exitCode = (await compareServers(process.argv.slice(2))) ? 0 : 1;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function resultsIn(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}

/** The tables of the README from raw numbers; with those of ten times the data, also how the cost grows. */
function printReadme([path = 'bench/results/results.json', larger]: readonly string[]): void {
  print(readmeOf(resultsIn(path), larger === undefined ? undefined : resultsIn(larger)));
}

/** @returns whether all gates hold; without gates, true. */
async function compareServers(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const smaller = options.smaller === null ? undefined : resultsIn(options.smaller);
  const results = await runBench(options);
  print(writeReport(results, smaller));
  const broken = options.short ? gatedOf(results.rows).flatMap(faultsOf) : [];
  for (const fault of broken) print(`\nBroken: ${fault}`);
  return broken.length === 0;
}
