import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { type LoadFlags, readLoadOptions } from '../load/load-options.ts';
import { signIn } from '../load/sign-in.ts';
import { formatted, printable, type Streams } from '../output.ts';
import { ProgressBar } from '../progress-bar.ts';
import type { GlobalFlags } from '../settings.ts';
import { readSignedInSettings } from './add-login.ts';
import { load } from './load.ts';

type Flags = GlobalFlags & LoadFlags & { readonly executorCredential?: string };

/** The command `slipway load`. */
export function addLoad(program: Command, streams: Streams, environment: NodeJS.ProcessEnv): void {
  program
    .command('load')
    .description(
      'Measures a server: submits jobs that do nothing, leases and finishes them through the public API, and prints rates and latencies in milliseconds. The jobs have queues and a pool of their own, which are deleted at the end.',
    )
    .option('--jobs <count>', 'how many jobs', '1000')
    .option('--queues <count>', 'how many queues they are submitted to', '4')
    .option(
      '--weights <list>',
      'the weights of the queues, such as 1,2,4; repeated if there are more queues',
      '1',
    )
    .option('--executors <count>', 'how many executors lease them', '4')
    .option('--slots <count>', 'how many jobs an executor has at the same time, at most 100', '100')
    .option('--batch <count>', 'how many jobs one call submits, at most 1000', '100')
    .option('--submitters <count>', 'how many calls submit at the same time', '4')
    .option(
      '--executor-credential <file>',
      'the file with the access key of the executors; or SLIPWAY_CREDENTIAL_FILE',
    )
    .option('--compare', 'measures a bare loop of SQL in DATABASE_URL, too')
    .option('--keep', 'leaves the queues and jobs')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway load --jobs 10000\n  slipway load --jobs 100000 --queues 50 --executors 20 --batch 500 --compare -o json',
    )
    .action(async (_flags: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const settings = await readSignedInSettings(flags, environment);
      const options = readLoadOptions(flags, environment);
      const authorization = executorAuthorization(flags.executorCredential, environment);
      const interrupt = new AbortController();
      const onInterrupt = () => interrupt.abort();
      // A second signal ends the process at once.
      process.once('SIGINT', onInterrupt);
      let bar: ProgressBar | null = null;
      try {
        const user = await signIn(settings);
        const executor = await signIn({ ...settings, authorization });
        const result = await load(
          { user: user.ask, executor: executor.ask },
          randomBytes(4).toString('hex'),
          options,
          {
            signal: interrupt.signal,
            onStep(name, jobs) {
              bar?.end();
              const next = new ProgressBar(streams.err, name, jobs);
              bar = next;
              return (done) => next.add(done);
            },
          },
        );
        endBar(bar);
        await user.signOut();
        await executor.signOut();
        for (const problem of result.leftovers) streams.err.write(printable(`note: ${problem}`).concat('\n'));
        if (interrupt.signal.aborted)
          throw new CliError('ABORTED', 'interrupted; nothing was measured', { exitCode: 130 });
        const columns = ['step', 'jobs', 'seconds', 'perSecond', 'p50', 'p95', 'p99'] as const;
        streams.out.write(formatted(result.measures, columns, settings.output, streams.out.isTTY ?? false));
        if (result.partOfBare !== null)
          streams.err.write(
            `note: jobs were finished at ${result.partOfBare} of the rate of the bare loop\n`,
          );
      } finally {
        process.off('SIGINT', onInterrupt);
      }
    });
}

/** TypeScript does not see that a hook has set it. */
const endBar = (bar: ProgressBar | null) => bar?.end();

const credentialFile = z.object({ accessKey: z.string().min(1), secretKey: z.string().min(1) });

/** @throws CliError UNAUTHENTICATED with the file that cannot be read. */
function executorAuthorization(flag: string | undefined, environment: NodeJS.ProcessEnv): string {
  const path =
    flag ??
    environment['SLIPWAY_CREDENTIAL_FILE'] ??
    join(environment['SLIPWAY_HOME'] ?? '.slipway', 'executor-credential.json');
  try {
    const { accessKey, secretKey } = credentialFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString('base64')}`;
  } catch (cause) {
    throw new CliError('UNAUTHENTICATED', `${path} is not the credential of an executor`, {
      cause,
      hint: 'give the file that the server wrote at its first start with --executor-credential',
    });
  }
}
