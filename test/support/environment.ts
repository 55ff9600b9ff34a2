/**
 * Before each test file, and before it imports anything of the server, which reads its configuration once: a database of
 * its own, and settings that suit tests.
 */
import { afterAll, inject } from 'vitest';
import { createTestDatabase } from './database.ts';

const database = inject('testServer') ? await createTestDatabase() : null;

Object.assign(process.env, {
  NODE_ENV: 'test',
  DATABASE_URL: database?.url,
  SLIPWAY_SECRETS: 'a-secret-of-the-tests-that-is-long-enough',
  LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
  PORT: '0',
  METRICS_PORT: 'off',
  LEASE_SECONDS: '5',
});

afterAll(async () => {
  const { closeDatabase } = await import('../../src/platform/database/client.ts');
  const { notifications } = await import('../../src/platform/database/notify.ts');
  await notifications.close();
  await closeDatabase();
  await database?.drop();
});
