import { Writable } from 'node:stream';
import { run } from '../../src/cli/program.ts';

/** Runs one command line, as a process with this environment would. */
export async function slipway(
  words: readonly string[],
  environment: Record<string, string>,
  { isTerminal = false, onError = (_text: string) => {} } = {},
) {
  const texts = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => {
    const written = new Writable({
      write(chunk, _encoding, done) {
        texts[name] += chunk;
        if (name === 'err') onError(texts.err);
        done();
      },
    });
    return isTerminal ? Object.assign(written, { isTTY: true }) : written;
  };
  // A folder without a configuration, so that the user's own one does not count.
  const all = { XDG_CONFIG_HOME: '/nonexistent', ...environment };
  const code = await run(words, { out: stream('out'), err: stream('err') }, all);
  return { code, ...texts };
}
