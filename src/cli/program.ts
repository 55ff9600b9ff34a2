import { Command, CommanderError, Option } from 'commander';
import { CliError } from './cli-error.ts';
import { createClient } from './client.ts';
import { addLoad } from './commands/add-load.ts';
import { addLogin, readSignedInSettings } from './commands/add-login.ts';
import { register } from './commands/register.ts';
import { formatted, formattedError, outputFormats, Progress, printable, type Streams } from './output.ts';
import { contextsPath, type GlobalFlags, readContexts, readSettings } from './settings.ts';

/** Runs one command line. @returns the exit code of the process. */
export async function run(
  words: readonly string[],
  streams: Streams,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const program = createProgram(streams, environment);
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has written its own message, and ends this way after --help, too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const failure =
      error instanceof CliError ? error : new CliError('INTERNAL', 'unexpected error', { cause: error });
    const { output } = program.opts<GlobalFlags>();
    streams.err.write(formattedError(failure, output === 'json' || output === 'yaml' ? output : 'table'));
    if (!(error instanceof CliError)) streams.err.write(`${error instanceof Error ? error.stack : error}\n`);
    return failure.exitCode;
  }
}

function createProgram(streams: Streams, environment: NodeJS.ProcessEnv): Command {
  const program = new Command('slipway')
    .description('The command line of Slipway, over its public API.')
    .addOption(new Option('-o, --output <format>', 'how data is written').choices([...outputFormats]))
    .option('-p, --project <project>', 'the project; or SLIPWAY_PROJECT')
    .option('-d, --domain <domain>', 'the domain, such as development; or SLIPWAY_DOMAIN')
    .option('--context <name>', 'a context of the configuration; or SLIPWAY_CONTEXT')
    .option('--url <url>', 'the address of the server; or SLIPWAY_URL')
    .option('--timeout <time>', 'how long a call may take: 30s, 2m')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    })
    .exitOverride();
  addLogin(program, streams, environment);
  addRegister(program, streams, environment);
  addLoad(program, streams, environment);
  addContext(program, streams, environment);
  return program;
}

interface RegisterFlags extends GlobalFlags {
  readonly version?: string;
  readonly dryRun?: boolean;
  readonly offline?: boolean;
}

function addRegister(program: Command, streams: Streams, environment: NodeJS.ProcessEnv): void {
  program
    .command('register')
    .description(
      'Registers the tasks, workflows and launch plans of a package that `pyflyte package` has made.',
    )
    .argument('<package>', 'a .tgz file, or a folder with its files')
    .option('--version <version>', 'the version, where the package leaves it open')
    .option(
      '--dry-run',
      'registers nothing: reads the package, and shows what is new, unchanged or different on the server, if it answers',
    )
    .option('--offline', 'with --dry-run: asks no server')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway register flow.tgz -p demo -d development --version v1\n  slipway register flow.tgz -p demo -d development --version v1 --dry-run -o json',
    )
    .action(async (path: string, _flags: object, command: Command) => {
      const flags = command.optsWithGlobals<RegisterFlags>();
      const settings = await readSignedInSettings(flags, environment);
      const progress = new Progress(streams.err);
      if (flags.offline && !flags.dryRun)
        throw new CliError('INVALID_ARGUMENT', '--offline is for a dry run', { hint: 'give --dry-run too' });
      const { registrations, error, notCompared } = await register(createClient(settings), path, {
        project: settings.project,
        domain: settings.domain,
        version: flags.version,
        dryRun: flags.dryRun ? (flags.offline ? 'offline' : 'server') : null,
        isSignedIn: settings.authorization !== null,
        onStep: (done, all, text) => progress.show(done, all, text),
      });
      progress.end();
      const hasOutcomes = registrations.some(({ outcome }) => outcome !== undefined);
      const columns = ['kind', 'name', 'version', ...(hasOutcomes ? (['outcome'] as const) : [])] as const;
      streams.out.write(formatted(registrations, columns, settings.output, streams.out.isTTY ?? false));
      for (const { kind, name, notes } of registrations)
        for (const { path: field, what } of notes)
          streams.err.write(`${printable(`note: ${kind} ${name}: ${field} is ${meaning[what]}`)}\n`);
      if (notCompared)
        streams.err.write(`${printable(`note: nothing was compared: ${notCompared.message}`)}\n`);
      if (error) throw error;
    });
}

const meaning = {
  kept: 'stored, and has no effect yet',
  dropped: 'not known to this version, and not registered',
  unchecked: 'checked only when it is registered, because it refers to new versions of the package',
} as const;

function addContext(program: Command, streams: Streams, environment: NodeJS.ProcessEnv): void {
  program
    .command('context')
    .description('Shows the servers of the configuration.')
    .command('list')
    .alias('ls')
    .description(`Lists the contexts of ${contextsPath(environment)}.`)
    .action((_flags: object, command: Command) => {
      const { output } = readSettings(command.optsWithGlobals<GlobalFlags>(), environment);
      const { contexts, current } = readContexts(environment);
      const rows = contexts.map((context) => ({ ...context, current: context.name === current ? '*' : '' }));
      const columns = ['current', 'name', 'url', 'project', 'domain'] as const;
      streams.out.write(formatted(rows, columns, output, streams.out.isTTY ?? false));
    });
}
