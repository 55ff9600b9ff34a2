/**
 * Compares Slipway with other GraphQL servers on the same database: `npm run bench`. It needs nothing but npm, takes
 * less than a quarter of an hour on two cores, and removes what it made. `npm run bench -- --short` is the form for
 * continuous integration: little data, Slipway and the limit, and gates that hold on a busy machine. Raw numbers, table
 * and chart are in `bench/results`.
 */
import { readOptions } from './run/options.ts';
import { runBench } from './run/run-bench.ts';

process.exitCode = (await runBench(readOptions(process.argv.slice(2)))) ? 0 : 1;
