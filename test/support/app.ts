/** The whole product in this process: a server on a port of its own and, unless told otherwise, a scheduler. */

import { startServer } from '../../src/http/server.ts';
import { type FirstSecrets, firstStart } from '../../src/identity/commands/first-start.ts';
import { notifications } from '../../src/platform/database/notify.ts';
import { startScheduler } from '../../src/scheduler/start.ts';

// Answers are read where the test knows their shape; a wrong guess fails the test.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Answer = any;

export interface GraphQLAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Answer;
  readonly errors:
    | readonly {
        message: string;
        path?: string[];
        extensions: { code: string };
      }[]
    | undefined;
}

export interface App {
  readonly url: string;
  readonly secrets: FirstSecrets;
  /** Authorization headers of the administrator, the local executor, and nobody. */
  readonly admin: string;
  readonly executor: string;
  /** Asks over HTTP; as the administrator unless told otherwise, null is a stranger. */
  ask(document: string, variables?: object, authorization?: string | null): Promise<GraphQLAnswer>;
  stop(): Promise<void>;
}

export interface LocalApp extends App {
  /** Ends the scheduler, where it would get in the way of counting. */
  stopScheduler(): Promise<void>;
}

export const basic = (name: string, secret: string) =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

export async function startApp({ scheduler = true }: { scheduler?: boolean } = {}): Promise<LocalApp> {
  let secrets: FirstSecrets | undefined;
  await firstStart('admin', async (made) => {
    secrets = made;
  });
  if (!secrets) throw new Error('the database of this test file was used before');
  await notifications.start();
  const server = await startServer({ host: '127.0.0.1', port: 0 });
  const loops = scheduler ? startScheduler() : null;
  const { administrator, executor } = secrets;
  const password = basic(administrator.username, administrator.password);
  const ask = async (document: string, variables: object = {}, authorization: string | null = admin) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization ? { authorization } : {}),
      },
      body: JSON.stringify({ query: document, variables }),
    });
    const { data, errors } = (await response.json()) as GraphQLAnswer;
    return { status: response.status, headers: response.headers, data, errors };
  };
  let admin = password;
  const login = await ask('mutation { login { ... on LoginPayload { token } } }', {}, password);
  admin = `Bearer ${login.data.login.token}`;
  return {
    url: server.url,
    secrets,
    admin,
    executor: basic(executor.accessKey, executor.secretKey),
    ask,
    stopScheduler: async () => loops?.stop(),
    async stop() {
      await loops?.stop();
      await server.stop();
      await notifications.close();
    },
  };
}
