/** Another server, in a process of its own, on the database of this test file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import type { App } from './app.ts';

const SERVER = fileURLToPath(new URL('../../src/bin/server.ts', import.meta.url));

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** @param command  what Node runs, with its options; the sources unless told otherwise. */
export async function startServerProcess(
  command: readonly string[] = ['--import', 'tsx', SERVER],
  environment: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> {
  const { PATH, HOME, TMPDIR, SLIPWAY_SECRETS } = process.env;
  const child = spawn(process.execPath, command, {
    env: {
      ...{ PATH, HOME, TMPDIR, SLIPWAY_SECRETS },
      ...{ DATABASE_URL: controlPlaneConfig.databaseUrl, MIGRATE: 'off', PORT: '0', LOG_LEVEL: 'warn' },
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', ({ address }: { address: string }) => resolve(address));
    child.once('exit', (code) => reject(new Error(`the second server ended with code ${code}:\n${output}`)));
  });
  return {
    url,
    child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the second server has ended:\n${output}`);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export interface SecondServer extends Pick<App, 'url'> {
  /** The status of a question that everyone may ask who is signed in. */
  statusFor(authorization: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startSecondServer(): Promise<SecondServer> {
  const { url, stop } = await startServerProcess();
  return {
    url,
    async statusFor(authorization) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ query: '{ viewer { id } }' }),
      });
      await response.arrayBuffer();
      return response.status;
    },
    stop,
  };
}
