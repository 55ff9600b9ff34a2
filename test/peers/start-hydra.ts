import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { eventually } from '../support/waiting.ts';

export interface Hydra {
  readonly publicUrl: string;
  readonly adminUrl: string;
  stop(): Promise<void>;
}

const program = resolve(import.meta.dirname, '../.clients/hydra-server');

/** Starts ORY Hydra on this machine, with an empty database in its memory. */
export async function startHydra(): Promise<Hydra> {
  if (!existsSync(program)) throw new Error('Hydra is not built; run test/peers/hydra/build.sh');
  const [publicPort, adminPort] = [await freePort(), await freePort()];
  const [publicUrl, adminUrl] = [`http://127.0.0.1:${publicPort}`, `http://127.0.0.1:${adminPort}`];
  const child = spawn(program, ['serve', 'all', '--dev'], {
    stdio: 'ignore',
    env: {
      ...{ DSN: 'memory', SECRETS_SYSTEM: 'a secret that is only for these tests', SQA_OPT_OUT: 'true' },
      OIDC_SUBJECT_IDENTIFIERS_SUPPORTED_TYPES: 'public,pairwise',
      OIDC_SUBJECT_IDENTIFIERS_PAIRWISE_SALT: 'a salt that is only for these tests',
      ...{ SERVE_PUBLIC_HOST: '127.0.0.1', SERVE_PUBLIC_PORT: String(publicPort) },
      ...{ SERVE_ADMIN_HOST: '127.0.0.1', SERVE_ADMIN_PORT: String(adminPort) },
      ...{ URLS_SELF_ISSUER: publicUrl, URLS_LOGIN: process.env['OAUTH_LOGIN_URL'] },
      ...{ URLS_CONSENT: process.env['OAUTH_CONSENT_URL'], URLS_LOGOUT: process.env['OAUTH_LOGOUT_URL'] },
    },
  });
  const isReady = (url: string) =>
    fetch(`${url}/health/ready`)
      .then(({ ok }) => ok)
      .catch(() => false);
  await eventually(
    async () => child.exitCode !== null || ((await isReady(adminUrl)) && (await isReady(publicUrl))),
    (isDone) => isDone,
  );
  if (child.exitCode !== null) throw new Error(`Hydra ended with ${child.exitCode}`);
  return { publicUrl, adminUrl, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolved) => child.once('exit', resolved));
  child.kill();
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolved) => server.listen(0, '127.0.0.1', resolved));
  const { port } = server.address() as { port: number };
  await new Promise((resolved) => server.close(resolved));
  return port;
}
