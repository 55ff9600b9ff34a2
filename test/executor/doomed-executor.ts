/**
 * An executor that will be killed. It runs the spec in its second argument under the root in its first one, and prints
 * a line when the command runs.
 */
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';

const [root = '', spec = ''] = process.argv.slice(2);
await createProcessRuntime({ root }).run(JSON.parse(spec), {
  blobs: { fetch: async () => {}, store: async () => '' },
  signal: new AbortController().signal,
  onStarted: () => process.stdout.write('started\n'),
  onLog: ({ text }) => process.stdout.write(text),
});
