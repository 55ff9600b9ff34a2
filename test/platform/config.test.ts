import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { baseVariables } from '../../src/platform/config/base.ts';
import { controlPlaneVariables } from '../../src/platform/config/control-plane.ts';
import { executorVariables } from '../../src/platform/config/executor.ts';
import { schedulerVariables } from '../../src/platform/config/scheduler.ts';
import { serverVariables } from '../../src/platform/config/server.ts';
import { supervisorVariables } from '../../src/platform/config/supervisor.ts';

const files = {
  base: { heading: 'Every process', variables: baseVariables },
  'control-plane': { heading: 'Server and scheduler', variables: controlPlaneVariables },
  server: { heading: 'Server', variables: serverVariables },
  scheduler: { heading: 'Scheduler', variables: schedulerVariables },
  executor: { heading: 'Executor', variables: executorVariables },
  supervisor: { heading: '`npm start`', variables: supervisorVariables },
} as const;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

const variables = {
  ...baseVariables,
  ...controlPlaneVariables,
  ...serverVariables,
  ...schedulerVariables,
  ...executorVariables,
  ...supervisorVariables,
};

/** What a variable means if it is not set, as README writes it. */
function defaultOf(name: string): string {
  const value: unknown = variables[name as keyof typeof variables].parse(undefined);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value === undefined ? '' : String(value);
}

const MIB = 1024 * 1024;
/** The smallest and the largest number that each variable accepts. */
const numbers = {
  DRAIN_SECONDS: [1, 600],
  DATABASE_POOL_SIZE: [2, 100],
  LEASE_SECONDS: [2, 86_400],
  POOL_JOBS_PER_SECOND: [0, 1_000_000],
  POOL_JOBS_AT_ONCE: [1, 1_000_000],
  QUEUE_JOBS_PER_SECOND: [0, 1_000_000],
  QUEUE_JOBS_AT_ONCE: [1, 1_000_000],
  EXECUTOR_SILENT_SECONDS: [2, 86_400],
  EXECUTOR_LOST_SECONDS: [2, 2_592_000],
  EXECUTOR_UNACKNOWLEDGED_RUNS: [1, 100_000],
  FLEET_MEMORY_SECONDS: [0, 31_536_000],
  SHARE_SAMPLE_SECONDS: [1, 3600],
  SHARE_SAMPLE_DAYS: [1, 3650],
  CACHE_UNUSED_DAYS: [0, 36_500],
  CACHE_ENTRY_LIMIT: [0, 100_000_000],
  BLOB_UNUSED_DAYS: [0, 36_500],
  JOB_KEEP_HOURS: [0, 1_000_000],
  JOB_EVENT_KEEP_HOURS: [0, 1_000_000],
  RUN_LOG_KEEP_HOURS: [0, 1_000_000],
  OUTPUT_LIMIT_BYTES: [1024, 64 * MIB],
  EXECUTION_LABEL_LIMIT: [0, 1000],
  EXECUTION_ANNOTATION_LIMIT: [0, 1000],
  MAX_RETRIES: [0, 1000],
  JOB_DEADLINE_SECONDS: [1, 2_000_000_000],
  WORKFLOW_NODE_LIMIT: [0, 100_000],
  WORKFLOW_LIMIT_BYTES: [0, 256 * MIB],
  PORT: [0, 65_535],
  METRICS_PORT: [0, 65_535],
  BODY_LIMIT_BYTES: [1024, 64 * MIB],
  QUERY_DEPTH_LIMIT: [1, 100],
  QUERY_TOKEN_LIMIT: [100, 100_000],
  QUERY_ALIAS_LIMIT: [0, 1000],
  QUERY_DIRECTIVE_LIMIT: [0, 1000],
  QUERY_COST_LIMIT: [1000, 1_000_000_000],
  BATCH_LIMIT: [1, 100],
  RATE_COST_PER_MINUTE: [0, 1_000_000_000],
  RATE_COST_BURST: [100, 1_000_000_000],
  SUBSCRIPTION_LIMIT: [1, 100_000],
  CONNECTION_LIMIT: [10, 1_000_000],
  KEEP_ALIVE_SECONDS: [1, 3600],
  TOKEN_SECONDS: [60, 31_536_000],
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: [1, 10_000],
  SIGN_IN_ATTEMPTS_PER_ADDRESS: [1, 100_000],
  SIGN_IN_ATTEMPTS_SECONDS: [1, 86_400],
  SESSION_MAX_SECONDS: [60, 315_360_000],
  OAUTH_ACCESS_TOKEN_SECONDS: [10, 31_536_000],
  OAUTH_ID_TOKEN_SECONDS: [10, 31_536_000],
  OAUTH_REFRESH_TOKEN_SECONDS: [60, 315_360_000],
  OAUTH_CODE_SECONDS: [10, 3600],
  OAUTH_DEVICE_CODE_SECONDS: [60, 3600],
  OAUTH_CHALLENGE_SECONDS: [60, 86_400],
  OAUTH_PUSHED_REQUESTS: [1, 100_000],
  OAUTH_SESSION_SECONDS: [60, 315_360_000],
  BLOB_LIMIT_BYTES: [1, 1024 * MIB],
  BLOB_URL_SECONDS: [10, 86_400],
  SLIPWAY_EXECUTOR_SLOTS: [1, 1000],
} as const;

/** Reads a file of the configuration, as a new process would. */
async function read(file: keyof typeof files, variables: Record<string, string>): Promise<unknown> {
  vi.unstubAllEnvs();
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  vi.resetModules();
  return await import(`../../src/platform/config/${file}.ts`);
}

describe('the configuration', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, configuration = ''] = readme.split('## Configuration\n');

  it.each(Object.values(files))('of $heading is in README, with every variable and no other', (file) => {
    const [, section = ''] = configuration.split(`### ${file.heading}\n`);
    const [table = ''] = section.split(/^##/m);
    const rows = [...table.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map((match) => match[1]);
    expect(rows).toEqual(Object.keys(file.variables));
  });

  it('of a variable that is not set is the default in README', () => {
    const rows = [...configuration.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|(?: `(.+?)`)? \|/gm)];
    const told = Object.fromEntries(rows.map(([, name = '', value = '']) => [name, value]));
    const meant = Object.fromEntries(Object.keys(variables).map((name) => [name, defaultOf(name)]));
    expect(told).toEqual({ ...meant, SLIPWAY_CREDENTIAL_FILE: '<home>/executor-credential.json' });
  });

  it.each(Object.entries(numbers))(
    'accepts for %s the numbers of its range and none outside of it',
    (name, [least, most]) => {
      const isAccepted = (value: number) =>
        variables[name as keyof typeof numbers].safeParse(String(value)).success;
      expect([least - 1, least, most, most + 1].map(isAccepted)).toEqual([false, true, true, false]);
    },
  );

  it('has a range for each number', () => {
    const isNumber = (name: string) => /^\d+$/.test(defaultOf(name));
    expect(Object.keys(variables).filter(isNumber).sort()).toEqual(Object.keys(numbers).sort());
  });

  it.each([
    ['HOST', 4096],
    ['KERBEROS_USERNAME_SUFFIX', 100],
    ['ANONYMOUS_USER', 255],
    ['HYDRA_ADMIN_USER', 255],
    ['SLIPWAY_ADMIN_USERNAME', 255],
  ] as const)('accepts for %s a text of %i characters and no longer one', (name, most) => {
    expect(variables[name].safeParse('x'.repeat(most)).success).toBe(true);
    expect(variables[name].safeParse('x'.repeat(most + 1)).success).toBe(false);
  });

  it.each(['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'])(
    'accepts the level %s as the default level',
    (level) => expect(variables.DEFAULT_LEVEL.parse(level)).toBe(level),
  );

  it.each([
    ['127.0.0.1:4445', { host: '127.0.0.1', port: 4445 }],
    ['127.1.2.3:0', { host: '127.1.2.3', port: 0 }],
    ['[::1]:4445', { host: '::1', port: 4445 }],
    ['/run/slipway/hydra.sock', { path: '/run/slipway/hydra.sock' }],
  ])('reads the address %s, which only this machine reaches', (value, address) => {
    expect(variables.HYDRA_ADMIN_LISTEN.parse(value)).toEqual(address);
  });

  it.each(['HYDRA_ADMIN_LISTEN', 'HYDRA_ADMIN_USER'])('refuses %s alone', async (name) => {
    await expect(read('server', { [name]: '/run/hydra.sock' })).rejects.toThrow(
      'Set HYDRA_ADMIN_LISTEN and HYDRA_ADMIN_USER together',
    );
  });

  it('reads a list without its spaces and empty parts', () => {
    expect(variables.SLIPWAY_DOMAINS.parse(' one,, two ,')).toEqual(['one', 'two']);
  });

  it('keeps the credential of the executor in the home folder, or where it is told to', async () => {
    const fileOf = async (changes: Record<string, string>) =>
      ((await read('base', changes)) as typeof import('../../src/platform/config/base.ts')).baseConfig
        .credentialFile;
    expect(await fileOf({ SLIPWAY_HOME: '/srv' })).toBe('/srv/executor-credential.json');
    expect(await fileOf({ SLIPWAY_CREDENTIAL_FILE: '/run/key.json' })).toBe('/run/key.json');
  });

  it.each([
    ['development', '', true],
    ['production', '', false],
    ['production', 'on', true],
  ])(
    'in %s with SLIPWAY_EMBEDDED=%j says whether the embedded database may start',
    async (mode, flag, may) => {
      expect(await read('supervisor', { NODE_ENV: mode, SLIPWAY_EMBEDDED: flag })).toMatchObject({
        supervisorConfig: { embeddedAllowed: may },
      });
    },
  );

  it.each([
    ['base', 'DRAIN_SECONDS', 'soon', 'DRAIN_SECONDS must be a whole number from 1 to 600.'],
    ['base', 'DRAIN_SECONDS', '0', 'DRAIN_SECONDS must be a whole number from 1 to 600.'],
    ['base', 'DRAIN_SECONDS', ' ', 'DRAIN_SECONDS must be a whole number from 1 to 600.'],
    [
      'base',
      'LOG_LEVEL',
      'loud',
      'LOG_LEVEL must be one of: fatal, error, warn, info, debug, trace, silent.',
    ],
    [
      'control-plane',
      'DATABASE_URL',
      'mysql://root:hunter2@host/db',
      'DATABASE_URL must be a URL such as postgresql://user:password@host:5432/database.',
    ],
    ['server', 'PORT', '65536', 'PORT must be a whole number from 0 to 65535.'],
    ['server', 'METRICS_PORT', 'on', 'METRICS_PORT must be a port from 0 to 65535, or off.'],
    ...[
      ...['0.0.0.0:4445', '10.0.0.1:4445', 'localhost:4445', '127.0.0.1', '127.0.0.1:65536', '::1:4445'],
      ...['[::]:4445', '4445', 'hydra.sock', `/${'x'.repeat(100)}`],
    ].map(
      (value) =>
        [
          ...(['server', 'HYDRA_ADMIN_LISTEN', value] as const),
          'HYDRA_ADMIN_LISTEN must be a loopback address with a port (127.0.0.1:4445, [::1]:4445), or the absolute path of a Unix socket.',
        ] as const,
    ),
    ['server', 'GRAPHIQL', 'yes', 'GRAPHIQL must be one of: on, off, 1, 0, true, false.'],
    [
      'scheduler',
      'WEBHOOK_ALLOWED_NETWORKS',
      '10.0.0.0/33',
      'WEBHOOK_ALLOWED_NETWORKS must be a list of IP addresses and networks, such as 10.1.0.0/16.',
    ],
    [
      'executor',
      'SLIPWAY_EXECUTOR',
      '-a-',
      'SLIPWAY_EXECUTOR must have 1 to 63 lower-case letters, digits and hyphens, and no hyphen at either end.',
    ],
  ] as const)(
    'in %s refuses %s=%s with one line that does not contain the value',
    async (file, name, value, line) => {
      await expect(read(file, { [name]: value })).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: line,
      });
    },
  );

  it('names every wrong variable, each on one line', async () => {
    await expect(read('base', { LOG_LEVEL: 'loud', DRAIN_SECONDS: 'soon' })).rejects.toThrow(
      /^LOG_LEVEL must .*\.\nDRAIN_SECONDS must .*\.$/,
    );
  });

  it('of a process ignores wrong values of other processes', async () => {
    await read('executor', { PORT: 'none', DATABASE_URL: 'none', SLIPWAY_EMBEDDED: 'none' });
    await read('server', { SLIPWAY_EXECUTOR_SLOTS: 'none', DATABASE_URL: 'none' });
    await read('control-plane', { PORT: 'none', SLIPWAY_URL: 'none' });
  });

  it('treats an empty variable as not set', async () => {
    expect(await read('server', { PORT: '', PUBLIC_URL: '' })).toMatchObject({
      serverConfig: { port: 4000, publicUrl: undefined },
    });
  });
});
