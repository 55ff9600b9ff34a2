/** The command line itself: its exit codes, and what it writes to a terminal, without a server. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway } from './command-line.ts';
import { taskFile, temporaryFolder } from './packages.ts';

const register = (isTerminal: boolean, ...words: string[]) => {
  const folder = temporaryFolder({ '1_a_1.pb': taskFile('a') });
  const rest = ['-p', 'demo', '-d', 'development', '--version', 'v1', ...words];
  return slipway(['register', folder, ...rest], { SLIPWAY_URL: 'http://127.0.0.1:1' }, { isTerminal });
};

describe('slipway register', () => {
  it('asks the server, unless it is a dry run', async () => {
    expect((await register(false)).code).toBe(7);
    expect(await register(false, '--dry-run', '--offline')).toEqual({
      code: 0,
      out: 'task\ta\tv1\n',
      err: 'note: task a: template.container.config is stored, and has no effect yet\n',
    });
  });

  it('compares nothing in a dry run if the server does not answer, and says so', async () => {
    const { code, out, err } = await register(false, '--dry-run');
    expect({ code, out }).toEqual({ code: 0, out: 'task\ta\tv1\n' });
    expect(err).toContain('note: nothing was compared: http://127.0.0.1:1/graphql does not answer\n');
  });

  it('takes --offline only for a dry run', async () => {
    const { code, err } = await register(false, '--offline');
    expect(code).toBe(2);
    expect(err).toContain('--dry-run');
  });

  it('writes a table with titles to a terminal', async () => {
    const { out } = await register(true, '--dry-run');
    expect(out).toBe('KIND  NAME  VERSION\ntask  a     v1\n');
  });
});

describe('slipway context list', () => {
  const list = (isTerminal: boolean) => {
    const home = temporaryFolder({});
    mkdirSync(join(home, 'slipway'));
    const [here, there] = ['{ name: here, url: "http://a.b" }', '{ name: there, url: "http://c.d" }'];
    writeFileSync(join(home, 'slipway/config.yaml'), `current: there\ncontexts: [${here}, ${there}]\n`);
    return slipway(['context', 'list'], { XDG_CONFIG_HOME: home }, { isTerminal });
  };

  it('marks the current context, in a table on a terminal', async () => {
    expect((await list(false)).out).toBe('\there\thttp://a.b\t\t\n*\tthere\thttp://c.d\t\t\n');
    expect((await list(true)).out).toBe(
      [
        'CURRENT  NAME   URL         PROJECT  DOMAIN',
        '         here   http://a.b',
        '*        there  http://c.d\n',
      ].join('\n'),
    );
  });
});

describe('an error', () => {
  it.each([
    ['json', '{"error":{"code":"INVALID_ARGUMENT","message":"there is no context x",'],
    ['yaml', '{"error":{"code":"INVALID_ARGUMENT","message":"there is no context x",'],
    ['table', 'slipway: there is no context x\n'],
  ])('is for programs where data is for programs: %s', async (output, beginning) => {
    const { code, err } = await slipway(['context', 'list', '--context', 'x', '-o', output], {});
    expect(code).toBe(2);
    expect(err.startsWith(beginning)).toBe(true);
  });
});

describe('the exit code', () => {
  it.each([
    [['--help'], 0],
    [['register', '--help'], 0],
    [['regster'], 2],
    [['register'], 2],
    [['register', 'a.tgz', '--unknown'], 2],
  ])('of %j is %i', async (words, expected) => {
    expect((await slipway(words, {})).code).toBe(expected);
  });
});
