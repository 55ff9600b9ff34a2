import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { baseVariables } from '../../src/platform/config/base.ts';
import { controlPlaneVariables } from '../../src/platform/config/control-plane.ts';
import { executorVariables } from '../../src/platform/config/executor.ts';
import { serverVariables } from '../../src/platform/config/server.ts';
import { supervisorVariables } from '../../src/platform/config/supervisor.ts';

const files = {
  base: { heading: 'Every process', variables: baseVariables },
  'control-plane': { heading: 'Server and scheduler', variables: controlPlaneVariables },
  server: { heading: 'Server', variables: serverVariables },
  executor: { heading: 'Executor', variables: executorVariables },
  supervisor: { heading: '`npm start`', variables: supervisorVariables },
} as const;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

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
    ['server', 'GRAPHIQL', 'yes', 'GRAPHIQL must be one of: on, off, 1, 0, true, false.'],
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
