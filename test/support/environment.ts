/**
 * Before each test file, and before it imports anything of the server, which reads its configuration once: a database of
 * its own, and settings that suit tests. After it: nothing secret was said (leaks.ts).
 */
import { afterAll, inject, vi } from 'vitest';
import { createTestDatabase } from './database.ts';
import { foundLeaks, keepSaid, keepSecret, listenToAnswers } from './leaks.ts';

const database = inject('testServer') ? await createTestDatabase() : null;

Object.assign(process.env, {
  NODE_ENV: 'test',
  DATABASE_URL: database?.url,
  SLIPWAY_SECRETS: 'a-secret-of-the-tests-that-is-long-enough',
  LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'debug',
  PORT: '0',
  METRICS_PORT: 'off',
  // So long that a machine that is busy with other things loses none.
  LEASE_SECONDS: '60',
});

/** The suite must pass with GraphQL's own executor and with plans: `REFERENCE_EXECUTOR=1 npm test`. */
if (process.env['REFERENCE_EXECUTOR']) {
  const { Planner } = await import('../../src/graphql/execution/plan.ts');
  Planner.prototype.planFor = () => null;
}

keepSecret('the secret of the installation', String(process.env['SLIPWAY_SECRETS']));
const stopListening = listenToAnswers();

/** Log lines are kept, and shown only where somebody asked for them. */
vi.mock('pino', async (importOriginal) => {
  const original = await importOriginal<typeof import('pino')>();
  const write = (line: string) => {
    keepSaid('log', line);
    if (process.env['TEST_LOG_LEVEL']) process.stdout.write(line);
  };
  const pino = Object.assign(
    (options: object, destination?: { write(line: string): void }) =>
      original.pino(options, destination ?? { write }),
    original.pino,
  );
  return { ...original, pino };
});

/** Every password that is hashed or checked, and every hash, is a secret. */
vi.mock('@node-rs/argon2', async (importOriginal) => {
  const original = await importOriginal<typeof import('@node-rs/argon2')>();
  return {
    ...original,
    async hash(...args: Parameters<typeof original.hash>) {
      keepSecret('a password', String(args[0]));
      return await original.hash(...args);
    },
    async verify(...args: Parameters<typeof original.verify>) {
      keepSecret('a password', String(args[1]));
      return await original.verify(...args);
    },
  };
});

vi.mock('../../src/identity/domain/secrets.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/identity/domain/secrets.ts')>();
  const newSecretKey = () => {
    const secret = original.newSecretKey();
    keepSecret('the secret of an access key', secret);
    return secret;
  };
  return { ...original, newSecretKey };
});

afterAll(async () => {
  const { closeDatabase, pool } = await import('../../src/platform/database/client.ts');
  const { notifications } = await import('../../src/platform/database/notify.ts');
  if (database) {
    if (!pool.options.connectionString?.endsWith(new URL(database.url).pathname))
      throw new Error('this file uses modules of another test file');
    const { rows } = await pool.query('select to_jsonb(audit_events)::text as text from audit_events');
    for (const { text } of rows) keepSaid('audit log', text);
  }
  await notifications.close();
  await closeDatabase();
  await database?.drop();
  stopListening();
  const leftRunning = process.getActiveResourcesInfo().filter((name) => /ServerWrap|ProcessWrap/.test(name));
  if (leftRunning.length > 0) throw new Error(`this file ends without stopping: ${leftRunning.join(', ')}`);
  const leaks = foundLeaks();
  if (leaks.length > 0) throw new Error(`what is secret was said:\n${leaks.join('\n')}`);
});
