import { type Child, firstMessage, startChild } from './child.ts';
import type { Ground } from './ground.ts';
import { type Bench, type Contestant, measure } from './measure.ts';
import { COUNTED, countOf } from './prove.ts';
import { basic, type Server, slipwayEnvironment } from './servers.ts';
import { type Row, rowOf } from './summary.ts';

/**
 * What Slipway adds to the protocol engine: client_credentials and introspection of Slipway beside oidc-provider alone, on
 * the same adapter, the same hashing of secrets, the same grants and the same database.
 */

const FORM = 'application/x-www-form-urlencoded';
const CLIENT = 'bench';
const tokenForm = 'grant_type=client_credentials&scope=write';

interface Endpoints {
  readonly name: string;
  readonly pid: number;
  readonly token: string;
  readonly introspection: string;
}

/** @throws Error if Slipway leaves out a field that the engine answers, or if a request fails. */
export async function measureOAuth(bench: Bench, ground: Ground, slipway: Server): Promise<Row[]> {
  const { origin } = new URL(slipway.url);
  const authorization = await addClient(slipway.url, ground.secretsOfFirstStart.administrator);
  const child = startChild('bench/processes/oidc-provider.ts', slipwayEnvironment(ground));
  try {
    const both = [
      {
        ...{ name: slipway.name, pid: slipway.pid },
        ...{ token: `${origin}/oauth2/token`, introspection: `${origin}/oauth2/introspect` },
      },
      await engineOf(child),
    ];
    const issued = await measureOne(bench, 'client_credentials', authorization, both, ({ token }) => ({
      ...{ url: token, form: tokenForm },
    }));
    const forms = new Map<string, string>();
    for (const { name, token } of both) {
      const { access_token: text } = (await post(token, authorization, tokenForm)).answer;
      forms.set(name, `token=${encodeURIComponent(String(text))}`);
    }
    const looked = await measureOne(bench, 'introspection', authorization, both, (one) => ({
      ...{ url: one.introspection, form: forms.get(one.name) ?? '' },
    }));
    return [...issued, ...looked];
  } finally {
    await child.stop();
  }
}

async function engineOf(child: Child): Promise<Endpoints> {
  const { url } = await firstMessage<{ url: string }>(child);
  return { name: 'oidc-provider', pid: child.pid, token: url, introspection: `${url}/introspection` };
}

async function measureOne(
  bench: Bench,
  name: string,
  authorization: string,
  both: readonly Endpoints[],
  requestOf: (endpoints: Endpoints) => { readonly url: string; readonly form: string },
): Promise<Row[]> {
  const contestants: Contestant[] = both.map((one) => {
    const { url, form } = requestOf(one);
    const requests = [{ authorization, body: form }];
    return { name: one.name, pid: one.pid, url, contentType: FORM, requests };
  });
  const proven = new Map<string, Awaited<ReturnType<typeof countOf>>>();
  let ours: string[] | undefined;
  for (const one of contestants) {
    const ask = async () => await post(one.url, authorization, one.requests[0]?.body ?? '');
    const fields = Object.keys((await ask()).answer);
    // Slipway comes first. What it adds to the answers of the engine is part of what it costs.
    ours ??= fields;
    const missing = fields.filter((field) => !ours?.includes(field));
    if (missing.length > 0) throw new Error(`${name}: only ${one.name} answers ${missing.join()}`);
    const asks = Array.from({ length: COUNTED }, () => async () => (await ask()).bytes);
    proven.set(one.name, await countOf(asks, bench.world.client));
  }
  const windows = await measure(bench, { name }, contestants);
  return [...windows].flatMap(([server, some]) => {
    const found = proven.get(server);
    return found ? [rowOf(name, server, found, some)] : [];
  });
}

interface Posted {
  readonly answer: Readonly<Record<string, unknown>>;
  readonly bytes: number;
}

async function post(url: string, authorization: string, form: string): Promise<Posted> {
  const headers = { authorization, 'content-type': FORM };
  const response = await fetch(url, { method: 'POST', headers, body: form });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status} ${text}`);
  return { answer: JSON.parse(text) as Posted['answer'], bytes: text.length };
}

/** Makes a client. @returns its authorization. */
async function addClient(
  url: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<string> {
  const query = `mutation ($input: CreateOAuth2ClientInput!) {
    createOAuth2Client(input: $input) { ... on CreateOAuth2ClientPayload { clientSecret } }
  }`;
  const client = { grantTypes: ['client_credentials'], scope: 'write' };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basic(username, password) },
    body: JSON.stringify({ query, variables: { input: { clientId: CLIENT, client } } }),
  });
  const { data } = (await response.json()) as {
    readonly data?: { readonly createOAuth2Client?: { readonly clientSecret?: string } };
  };
  const secret = data?.createOAuth2Client?.clientSecret;
  if (secret === undefined) throw new Error('Slipway has made no client');
  return basic(CLIENT, secret);
}
