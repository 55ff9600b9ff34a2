/**
 * An executor that will be killed. It runs the spec in its third argument, with directories and records in the folders
 * of the first two, and prints what the command prints.
 */
import { DEFAULT_PATH } from '../../src/executor/host/environment.ts';
import { RunRecords } from '../../src/executor/host/run-records.ts';
import { RunWork } from '../../src/executor/host/run-work.ts';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';
import { log } from '../../src/platform/log.ts';

const [root = '', records = '', spec = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const host = {
  runtime: createProcessRuntime({ root }),
  records: new RunRecords(records, log),
  log,
  path: DEFAULT_PATH,
};
const work = new RunWork(host, JSON.parse(spec));
await work.run({
  blobs: { fetch: async () => {}, store: async () => '' },
  ...{ signal, leave: signal, giveUp: signal },
  onStarted: () => process.stdout.write('started\n'),
  onLog: ({ sequence, text }) => {
    // Whoever has read the text knows that the record says so.
    work.logStored(sequence + 1);
    process.stdout.write(text);
  },
});
