/** Another server, in a process of its own, on the database of this test file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import type { App } from './app.ts';

const SERVER = fileURLToPath(new URL('../../src/bin/server.ts', import.meta.url));

export interface SecondServer extends Pick<App, 'url'> {
  /** The status of a question that everyone may ask who is signed in. */
  statusFor(authorization: string): Promise<number>;
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. It may have ended before. */
  kill(): Promise<void>;
}

export async function startSecondServer(): Promise<SecondServer> {
  const { PATH, HOME, TMPDIR, SLIPWAY_SECRETS } = process.env;
  const server = spawn(process.execPath, ['--import', 'tsx', SERVER], {
    env: {
      ...{ PATH, HOME, TMPDIR, SLIPWAY_SECRETS },
      ...{ DATABASE_URL: controlPlaneConfig.databaseUrl, MIGRATE: 'off', PORT: '0', LOG_LEVEL: 'warn' },
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const url = await new Promise<string>((resolve, reject) => {
    server.once('message', ({ address }: { address: string }) => resolve(address));
    server.once('exit', (code) => reject(new Error(`the second server ended with code ${code}:\n${output}`)));
  });
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  }
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
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
