/** Runs Slipway during the demo: database, server, scheduler and one executor, as `npm start` does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START = fileURLToPath(new URL('../../dist/bin/start.js', import.meta.url));
const START_SECONDS = 60;
const STOP_SECONDS = 60;

export interface Platform {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Fires when Slipway ends by itself. */
  readonly ended: AbortSignal;
  /** Ends all processes and removes everything that was created only for the demo. */
  stop(): Promise<void>;
}

/**
 * Starts Slipway on an embedded database: in SLIPWAY_HOME, which is kept, or in a folder that is removed when it stops.
 *
 * @throws Error if it does not start, with the end of its output; the reason of `signal` if it fires before.
 */
export async function startPlatform(signal: AbortSignal): Promise<Platform> {
  if (!existsSync(START)) throw new Error('Slipway is not built: run `npm run build` first');
  const keptHome = process.env['SLIPWAY_HOME'];
  const home = keptHome ?? (await throwAwayHome());
  const child = spawn(process.execPath, [START], {
    // Ctrl-C in a terminal must reach only us; we end the others in order. If we are killed, they notice it.
    detached: true,
    env: environmentFor(home),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const said = collectOutput(child);
  const ended = new AbortController();
  const isOver = (what: string) =>
    ended.abort(new Error(`Slipway ${what}. The end of its output:\n${said().slice(-2000)}`));
  child.once('error', (error) => isOver(`did not start: ${error.message}`));
  child.once('exit', (code) => isOver(`ended with code ${code}`));
  const late = setTimeout(() => isOver(`was not ready after ${START_SECONDS} s`), START_SECONDS * 1000);

  const stop = async () => {
    await endProcess(child);
    if (keptHome === undefined) await removeHome(home);
  };
  try {
    const url = await addressOf(child, AbortSignal.any([signal, ended.signal]));
    return { url, ...signInFrom(said()), ended: ended.signal, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

async function throwAwayHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'slipway-demo-'));
  // PostgreSQL refuses to run as root. It then runs as another user, who must be able to pass through this folder.
  if (process.getuid?.() === 0) await chmod(home, 0o711);
  return home;
}

/** As root, the database may be in another folder, with a link in its place. */
async function removeHome(home: string): Promise<void> {
  const database = await realpath(join(home, 'postgres')).catch(() => home);
  for (const path of [database, home]) await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Our environment, without the variables that would lead to another database or server. */
function environmentFor(home: string): NodeJS.ProcessEnv {
  const { DATABASE_URL, PUBLIC_URL, SLIPWAY_URL, SLIPWAY_CREDENTIAL_FILE, ...environment } = process.env;
  return {
    LOG_LEVEL: 'warn',
    PORT: '0',
    METRICS_PORT: 'off',
    ...environment,
    NODE_ENV: 'development',
    SLIPWAY_HOME: home,
  };
}

function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

/** The process tells its parent when it is ready. */
async function addressOf(child: ChildProcess, over: AbortSignal): Promise<string> {
  return await new Promise((resolve, reject) => {
    over.throwIfAborted();
    over.addEventListener('abort', () => reject(over.reason));
    child.on('message', ({ address }: { readonly address?: unknown }) => {
      if (typeof address === 'string') resolve(address);
    });
  });
}

/** Only the first start shows the administrator's password. */
function signInFrom(said: string): { username: string; password: string } {
  const shown = /Sign in as (\S+) with this password[^\n]*\n\s*(\S+)/.exec(said);
  const username = shown?.[1] ?? process.env['SLIPWAY_USERNAME'] ?? 'admin';
  const password = shown?.[2] ?? process.env['SLIPWAY_PASSWORD'];
  if (password) return { username, password };
  throw new Error('this SLIPWAY_HOME is not new: set SLIPWAY_PASSWORD to the password of its administrator');
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1000);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(late);
}
