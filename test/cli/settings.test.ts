/** The settings of the command line: from flags, variables, the file of contexts, and defaults. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contextsPath, type GlobalFlags, readContexts, readSettings } from '../../src/cli/settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The environment of a user with this file of contexts. */
function withContexts(text: string): { XDG_CONFIG_HOME: string } {
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, 'slipway'));
  writeFileSync(join(home, 'slipway/config.yaml'), text);
  return { XDG_CONFIG_HOME: home };
}
const contexts = `
current: here
contexts:
  - { name: here, url: "http://here.example", project: of-here, domain: staging }
  - { name: there, url: "http://there.example" }
`;
const without = () => ({ XDG_CONFIG_HOME: join(folder, 'absent') });
const variables = {
  SLIPWAY_URL: 'http://variable.example',
  SLIPWAY_PROJECT: 'of-variable',
  SLIPWAY_DOMAIN: 'production',
  SLIPWAY_OUTPUT: 'json',
};
const flags: GlobalFlags = {
  ...{ url: 'http://flag.example', project: 'of-flag', domain: 'development', output: 'yaml' },
};

describe('a setting', () => {
  it('has a default without flag, variable and context', () => {
    expect(readSettings({}, without())).toEqual({
      url: 'http://localhost:4000',
      project: undefined,
      domain: undefined,
      output: 'table',
      timeoutSeconds: 30,
      authorization: null,
    });
  });

  it('comes from the current context, unless a variable or a flag chooses another one', () => {
    const environment = withContexts(contexts);
    expect(readSettings({}, environment)).toMatchObject({
      ...{ url: 'http://here.example', project: 'of-here', domain: 'staging', output: 'table' },
    });
    const there = { url: 'http://there.example', project: undefined, domain: undefined };
    expect(readSettings({}, { ...environment, SLIPWAY_CONTEXT: 'there' })).toMatchObject(there);
    expect(readSettings({ context: 'there' }, environment)).toMatchObject(there);
    expect(readSettings({ context: 'there' }, { ...environment, SLIPWAY_CONTEXT: 'here' })).toMatchObject(
      there,
    );
  });

  it('comes from its variable before the context, and from its flag before both', () => {
    const environment = { ...withContexts(contexts), ...variables };
    expect(readSettings({}, environment)).toMatchObject({
      ...{ url: 'http://variable.example', project: 'of-variable', domain: 'production', output: 'json' },
    });
    expect(readSettings(flags, environment)).toMatchObject(flags);
    expect(readSettings(flags, withContexts(contexts))).toMatchObject(flags);
  });

  it.each([
    ['1s', 1],
    ['45s', 45],
    ['2m', 120],
    ['999999s', 999_999],
  ])('for the time limit can be %s', (timeout, seconds) => {
    expect(readSettings({ timeout }, without()).timeoutSeconds).toBe(seconds);
  });

  it.each(['0s', '0m', '30', '1h', '-1s', '1.5s', '1000000s', ''])(
    'for the time limit cannot be %j',
    (timeout) => {
      expect(() => readSettings({ timeout }, without())).toThrow(
        `--timeout ${timeout} is not a time such as 30s or 2m`,
      );
    },
  );

  it('for the output is one of three', () => {
    expect(() => readSettings({ output: 'xml' }, without())).toThrow(
      'there is no output xml: use table, json, yaml',
    );
  });
});

describe('the sign-in', () => {
  const authorizationIn = (environment: Record<string, string>) =>
    readSettings({}, { ...without(), ...environment }).authorization;
  const basic = `Basic ${Buffer.from('key:secret').toString('base64')}`;

  it.each<[what: string, environment: Record<string, string>, expected: string | null]>([
    ['a token', { SLIPWAY_TOKEN: 'abc' }, 'Bearer abc'],
    ['an access key', { SLIPWAY_ACCESS_KEY: 'key', SLIPWAY_SECRET_KEY: 'secret' }, basic],
    [
      'a token rather than an access key',
      { SLIPWAY_TOKEN: 'abc', SLIPWAY_ACCESS_KEY: 'key', SLIPWAY_SECRET_KEY: 'secret' },
      'Bearer abc',
    ],
    ['no access key without its secret', { SLIPWAY_ACCESS_KEY: 'key' }, null],
    ['no secret without its access key', { SLIPWAY_SECRET_KEY: 'secret' }, null],
    ['nothing', {}, null],
  ])('is by %s', (_what, environment, expected) => {
    expect(authorizationIn(environment)).toBe(expected);
  });
});

describe('the file of contexts', () => {
  it('is in the folder of the user for configurations', () => {
    expect(contextsPath({ XDG_CONFIG_HOME: '/etc/xdg' })).toBe('/etc/xdg/slipway/config.yaml');
    for (const environment of [{}, { XDG_CONFIG_HOME: '' }])
      expect(contextsPath(environment)).toBe(join(homedir(), '.config/slipway/config.yaml'));
  });

  it('may be absent or empty', () => {
    for (const environment of [without(), withContexts(''), withContexts('contexts: []')])
      expect(readContexts(environment).contexts).toEqual([]);
  });

  it.each([
    'current: [',
    'contexts: 5',
    'contexts: [{ name: a }]',
    'contexts: [{ name: a, url: b }]',
    'more: 1',
  ])('is refused with its path when it is wrong: %s', (text) => {
    const environment = withContexts(text);
    expect(() => readSettings({}, environment)).toThrow(`${contextsPath(environment)} is not valid: `);
  });

  it('must have the chosen context, and the error lists those that it has', () => {
    const hintFor = (text: string) => {
      try {
        readSettings({ context: 'else' }, withContexts(text));
      } catch (error) {
        return [(error as Error).message, (error as { hint?: string }).hint];
      }
      return null;
    };
    expect(hintFor(contexts)).toEqual(['there is no context else', 'known contexts: here, there']);
    expect(hintFor('')).toEqual(['there is no context else', 'known contexts: none']);
  });
});
