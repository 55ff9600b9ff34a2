import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { Credentials, type StoredSignIn } from '../credentials.ts';
import { deviceSignIn, endSignIn, renewSignIn } from '../oauth.ts';
import { printable, type Streams } from '../output.ts';
import { contextsPath, type GlobalFlags, readSettings, type Settings } from '../settings.ts';

/** A token that ends sooner than this is renewed before it is used. */
const SPARE_MS = 30_000;

const credentialsOf = (environment: NodeJS.ProcessEnv) =>
  new Credentials(join(dirname(contextsPath(environment)), 'credentials.json'));

/** The settings of a command, with the sign-in of `slipway login` if the environment has none. */
export async function readSignedInSettings(
  flags: GlobalFlags,
  environment: NodeJS.ProcessEnv,
): Promise<Settings> {
  const settings = readSettings(flags, environment);
  if (settings.authorization !== null) return settings;
  const credentials = credentialsOf(environment);
  const isFresh = ({ expiresAt }: StoredSignIn) => expiresAt - SPARE_MS > Date.now();
  let stored = credentials.find(settings.url);
  if (stored && !isFresh(stored))
    // Another command may have renewed it in the meantime.
    stored = await credentials.change(settings.url, async (now) =>
      now && !isFresh(now) && now.refreshToken !== null ? await renewSignIn(settings, now.refreshToken) : now,
    );
  return stored ? { ...settings, authorization: `Bearer ${stored.accessToken}` } : settings;
}

/** The commands `slipway login` and `slipway logout`. */
export function addLogin(program: Command, streams: Streams, environment: NodeJS.ProcessEnv): void {
  const credentials = credentialsOf(environment);
  program
    .command('login')
    .description(
      'Signs you in with a browser, on this or any other machine. The sign-in is stored in a file that only you can read, and renewed while you use it.',
    )
    .action(async (_flags: object, command: Command) => {
      const settings = readSettings(command.optsWithGlobals<GlobalFlags>(), environment);
      const signIn = await deviceSignIn(settings, ({ userCode, url, completeUrl }) =>
        streams.err.write(
          printableLines([`Open ${url} and enter the code ${userCode}`, `or open ${completeUrl}`]),
        ),
      );
      await credentials.change(settings.url, async () => signIn);
      streams.err.write(printableLines([`You are signed in to ${settings.url}`]));
    });
  program
    .command('logout')
    .description('Ends the sign-in of `slipway login`, here and on the server.')
    .action(async (_flags: object, command: Command) => {
      const settings = readSettings(command.optsWithGlobals<GlobalFlags>(), environment);
      const stored = credentials.find(settings.url);
      if (!stored) throw new CliError('NOT_FOUND', `you are not signed in to ${settings.url}`);
      await endSignIn(settings, stored);
      await credentials.change(settings.url, async () => null);
      streams.err.write(printableLines([`You are signed out of ${settings.url}`]));
    });
}

const printableLines = (lines: readonly string[]) => lines.map((line) => `${printable(line)}\n`).join('');
