/** All of Slipway as `npm start` runs it, in processes of its own and a home of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { homeMode } from '../../src/platform/database/embedded-host.ts';
import { type App, basic, type GraphQLAnswer } from './app.ts';
import { keepSaid } from './leaks.ts';

const START = fileURLToPath(new URL('../../src/bin/start.ts', import.meta.url));

export type ProcessName = 'supervisor' | 'postgres' | 'server' | 'scheduler' | 'executor';

export interface Tree extends App {
  readonly home: string;
  /** The process ids of now; null for one that is being started again. */
  processes(): Record<ProcessName, number | null>;
  /** What was printed. */
  said(): string;
  /** Asks the database itself. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Starts it again in the same home, after its supervisor was killed. */
  startAgain(): Promise<void>;
}

export async function startTree(environment: NodeJS.ProcessEnv = {}): Promise<Tree> {
  const home = mkdtempSync(join(tmpdir(), 'slipway-tree-'));
  chmodSync(home, homeMode());
  let supervisor: ChildProcess;
  let url = '';
  let output = '';
  let admin = '';

  async function launch(): Promise<void> {
    const { PATH, HOME, TMPDIR } = process.env;
    supervisor = spawn(process.execPath, ['--import', 'tsx', START], {
      env: {
        PATH,
        HOME,
        TMPDIR,
        SLIPWAY_HOME: home,
        PORT: '0',
        METRICS_PORT: 'off',
        LOG_LEVEL: 'warn',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [supervisor.stdout, supervisor.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
        keepSaid('log', String(text));
      });
    url = await new Promise((resolve, reject) => {
      supervisor.once('message', ({ address }: { address: string }) => resolve(address));
      supervisor.once('exit', (code) => reject(new Error(`the tree ended with code ${code}:\n${output}`)));
    });
  }

  /** As often as it takes: the server may have been killed a moment ago. */
  async function ask(
    document: string,
    variables: object = {},
    authorization: string | null = admin,
  ): Promise<GraphQLAnswer> {
    for (const until = Date.now() + 100_000; ; await sleep(50)) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        body: JSON.stringify({ query: document, variables }),
      }).catch(() => null);
      if (response && response.status !== 503) {
        const { data, errors } = (await response.json()) as GraphQLAnswer;
        if (errors?.[0]?.extensions.code !== 'UNAVAILABLE' || Date.now() > until)
          return { status: response.status, headers: response.headers, data, errors };
      }
      if (Date.now() > until) throw new Error(`the server does not answer:\n${output.slice(-4000)}`);
    }
  }

  await launch();
  const [, username = '', password = ''] =
    /Sign in as (\S+) with this password[^\n]*\n\s*(\S+)/.exec(output) ?? [];
  const login = await ask(
    'mutation { login { ... on LoginPayload { token } } }',
    {},
    basic(username, password),
  );
  admin = `Bearer ${login.data.login.token}`;
  const executor = JSON.parse(readFileSync(join(home, 'executor-credential.json'), 'utf8'));
  return {
    home,
    get url() {
      return url;
    },
    secrets: { administrator: { username, password }, executor },
    admin,
    executor: basic(executor.accessKey, executor.secretKey),
    ask,
    said: () => output,
    processes: () => JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')),
    async query(sql, values) {
      const read = (name: string) => readFileSync(join(home, 'postgres', name), 'utf8').trim();
      const client = new pg.Client(
        `postgresql://slipway:${read('password')}@127.0.0.1:${read('port')}/slipway`,
      );
      await client.connect();
      try {
        return (await client.query(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
    startAgain: launch,
    async stop() {
      if (supervisor.exitCode === null && supervisor.signalCode === null) {
        const exited = once(supervisor, 'exit');
        supervisor.kill('SIGTERM');
        await exited;
      }
      // The database may be elsewhere (embedded-host.ts).
      for (const path of [realpathSync(join(home, 'postgres')), home])
        rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
