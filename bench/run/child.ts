import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../src/platform/node-flags.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const require = createRequire(import.meta.url);

/**
 * The Node of the package `node`, on which all servers run: PostGraphile needs a newer one than Slipway. The short form
 * works without this package, on the Node that runs the bench.
 */
export const nodePath = packagedNode() ?? process.execPath;

function packagedNode(): string | null {
  try {
    return join(dirname(require.resolve('node/package.json')), 'bin/node');
  } catch {
    return null;
  }
}

/** An older Node does not run TypeScript by itself. */
const typescript = packagedNode() === null ? ['--import', 'tsx'] : [];

/** The peers get the large young generation of Slipway, which makes all of them faster. */
const PEER_FLAGS = ['--max-semi-space-size=32'];

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Sends a message, and waits for the next one that comes back. */
  ask<Answer>(message: Serializable): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a process of `bench/processes`, or of the build, on the Node of the bench. */
export function startChild(path: string, environment: Readonly<Record<string, string>>): Child {
  const child = fork(join(root, path), {
    execPath: nodePath,
    execArgv: [
      ...(path.startsWith('dist/') ? nodeFlags : PEER_FLAGS),
      ...(path.endsWith('.ts') ? typescript : []),
      '--disable-warning=ExperimentalWarning',
    ],
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let stopped = false;
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => {
      if (!stopped) reject(new Error(`${path} ended with ${code}`));
    });
  });
  ended.catch(() => {});
  const next = async (): Promise<never> => (await once(child, 'message'))[0] as never;
  return {
    pid: child.pid ?? 0,
    process: child,
    async ask(message) {
      const answer = next();
      child.send(message);
      return await Promise.race([answer, ended]);
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      if (child.exitCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** The first message of a child: where it listens. */
export async function firstMessage<Message>({ process: child }: Child): Promise<Message> {
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]): never => {
      throw new Error(`${child.spawnfile} ${child.spawnargs.at(-1)} ended with ${code}`);
    }),
  ]);
  return message as Message;
}
