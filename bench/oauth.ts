/**
 * What Slipway adds to the protocol engine: `npm run build && node --max-semi-space-size=32 --import tsx bench/oauth.ts`
 * compares client_credentials and introspection of a Slipway server with oidc-provider alone, on the same adapter, the
 * same hashing of secrets, the same grants and the same database. Both run in this process, as compiled code, because
 * tsx would make our code slower than that of the engine. Another process sends the requests to one after the other, in
 * short turns, so that whatever else the machine does concerns both. The goal is that Slipway answers at least 0.8 times
 * as many requests per second.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Server from '../src/http/server.ts';
import type * as FirstStart from '../src/identity/commands/first-start.ts';
import type { FirstSecrets } from '../src/identity/commands/first-start.ts';
import type * as SigningKeys from '../src/key-sets/signing-keys.ts';
import type * as ClientSecrets from '../src/oauth/client-secrets.ts';
import type * as Adapter from '../src/oauth/provider/adapter.ts';
import type * as ClientModel from '../src/oauth/provider/client-model.ts';
import { startEmbeddedPostgres } from '../src/platform/database/embedded.ts';
import type * as Migrations from '../src/platform/database/migrations.ts';
import type * as Notify from '../src/platform/database/notify.ts';

const GOAL = 0.8;
const TURNS = 25;
const REQUESTS_A_TURN = 300;
/** V8 has to warm up. */
const FIRST_TURNS = 5;
const WORKERS = 8;

const tokenForm = 'grant_type=client_credentials&scope=write';

interface Load {
  readonly url: string;
  readonly authorization: string;
  readonly form: string;
}

if (process.send) process.on('message', (load: Load) => void sendAll(load).then((ms) => process.send?.(ms)));
else await compare();

/** Sends the same request many times. @returns how many milliseconds it took. */
async function sendAll({ url, authorization, form }: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
  const headers = {
    authorization,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': form.length,
  };
  const sendOne = () =>
    new Promise<void>((resolve, reject) => {
      send(url, { method: 'POST', agent, headers }, (response) => {
        response.resume().once('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`${url} answered ${response.statusCode}`));
        });
      })
        .once('error', reject)
        .end(form);
    });
  let left = REQUESTS_A_TURN;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await sendOne();
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: WORKERS }, work));
  const ms = performance.now() - began;
  agent.destroy();
  return ms;
}

async function compare(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const database = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), isDurable: true });
  const sender = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'] });
  try {
    Object.assign(process.env, {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      SLIPWAY_SECRETS: 'a-secret-of-the-benchmark-that-is-long-enough',
      LOG_LEVEL: 'error',
      METRICS_PORT: 'off',
    });
    const slipway = await startSlipway(database.url);
    const authorization = await addClient(slipway);
    const alone = await startEngineAlone();
    try {
      const took = async (load: Load): Promise<number> => {
        const answer = once(sender, 'message');
        sender.send(load);
        return (await answer)[0] as number;
      };
      await compareOne('client_credentials', took, [
        { url: `${slipway.url}/oauth2/token`, authorization, form: tokenForm },
        { url: `${alone.url}/token`, authorization, form: tokenForm },
      ]);
      const token = await tokenOf(`${slipway.url}/oauth2/token`, authorization);
      const form = `token=${encodeURIComponent(token)}`;
      await compareOne('introspection', took, [
        { url: `${slipway.url}/oauth2/introspect`, authorization, form },
        { url: `${alone.url}/token/introspection`, authorization, form },
      ]);
    } finally {
      await alone.stop();
      await slipway.stop();
    }
  } finally {
    sender.kill();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tokenOf(url: string, authorization: string): Promise<string> {
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, { method: 'POST', headers, body: tokenForm });
  return ((await response.json()) as { readonly access_token: string }).access_token;
}

/** A module of the compiled server. It reads the configuration when it is imported. */
async function compiled<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../dist/${path}.js`, import.meta.url).href)) as Module;
}

interface Slipway {
  readonly url: string;
  readonly administrator: FirstSecrets['administrator'] | undefined;
  stop(): Promise<void>;
}

async function startSlipway(databaseUrl: string): Promise<Slipway> {
  const { applyMigrations } = await compiled<typeof Migrations>('platform/database/migrations');
  await applyMigrations(databaseUrl);
  const { firstStart } = await compiled<typeof FirstStart>('identity/commands/first-start');
  const { notifications } = await compiled<typeof Notify>('platform/database/notify');
  const { startServer } = await compiled<typeof Server>('http/server');
  let administrator: Slipway['administrator'];
  await firstStart('admin', async (made) => {
    administrator = made.administrator;
  });
  await notifications.start();
  const server = await startServer({ host: '127.0.0.1', port: 0 });
  return {
    ...{ url: server.url, administrator },
    async stop() {
      await server.stop();
      await notifications.close();
    },
  };
}

function basic(name = '', secret = ''): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
}

/** Makes a client. @returns its authorization. */
async function addClient({ url, administrator }: Slipway): Promise<string> {
  const query = `mutation ($input: CreateOAuth2ClientInput!) {
    createOAuth2Client(input: $input) { ... on CreateOAuth2ClientPayload { clientSecret } }
  }`;
  const client = { grantTypes: ['client_credentials'], scope: 'write' };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: basic(administrator?.username, administrator?.password),
    },
    body: JSON.stringify({ query, variables: { input: { clientId: 'bench', client } } }),
  });
  const { data } = (await response.json()) as { data: { createOAuth2Client: { clientSecret: string } } };
  return basic('bench', data.createOAuth2Client.clientSecret);
}

/** The engine with its own settings, on our adapter and with our hashing. */
async function startEngineAlone() {
  const { Provider } = await import('oidc-provider');
  const { adapterFor } = await compiled<typeof Adapter>('oauth/provider/adapter');
  const { slipwayOf } = await compiled<typeof ClientModel>('oauth/provider/client-model');
  const { isClientSecret } = await compiled<typeof ClientSecrets>('oauth/client-secrets');
  const { idTokenKeys } = await compiled<typeof SigningKeys>('key-sets/signing-keys');
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { current } = await idTokenKeys.current();
  const provider = new Provider(url, {
    adapter: adapterFor(url),
    jwks: { keys: [current.privateJwk] } as never,
    scopes: ['openid', 'offline_access', 'write'],
    extraClientMetadata: { properties: ['slipway'], validator: () => {} },
    clientAuthMethods: ['client_secret_basic'],
    ttl: { ClientCredentials: 3600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true },
      revocation: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
    },
  });
  Object.assign(provider.Client.prototype, {
    compareClientSecret(secret: string) {
      const { clientId } = this as unknown as { readonly clientId: string };
      return isClientSecret(secret, slipwayOf(this).secretHashes, { clientId, address: null });
    },
  });
  const answer = provider.callback();
  server.on('request', (request, response) => void answer(request, response));
  return {
    url,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function compareOne(
  name: string,
  took: (load: Load) => Promise<number>,
  [ours, alone]: readonly [Load, Load],
): Promise<void> {
  const turn = async () => ({ ours: await took(ours), alone: await took(alone) });
  for (let turns = 0; turns < FIRST_TURNS; turns += 1) await turn();
  const times: Awaited<ReturnType<typeof turn>>[] = [];
  for (let turns = 0; turns < TURNS; turns += 1) times.push(await turn());
  const rate = (ms: number) => Math.round((REQUESTS_A_TURN / ms) * 1000);
  const quotient = medianOf(times.map((one) => one.alone / one.ours));
  print(
    `${name}: Slipway ${rate(medianOf(times.map((one) => one.ours)))} requests/s, oidc-provider alone ` +
      `${rate(medianOf(times.map((one) => one.alone)))} requests/s, quotient ${quotient.toFixed(2)} (goal ${GOAL})`,
  );
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
