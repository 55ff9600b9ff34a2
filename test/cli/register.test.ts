import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ResourceType } from '../../src/generated/proto/flyteidl/core/identifier_pb.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { slipway } from './command-line.ts';
import { taskFile, writeArchive } from './packages.ts';

let app: LocalApp;
let folder: string;
let file: string;
let environment: Record<string, string>;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await app.ask('mutation { registerProject(input: { identifier: "demo", name: "demo" }) { __typename } }');
});
afterAll(() => app.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-register-'));
  file = join(folder, 'package.tgz');
  environment = {
    SLIPWAY_URL: app.url,
    SLIPWAY_TOKEN: app.admin.replace('Bearer ', ''),
    SLIPWAY_PROJECT: 'demo',
    SLIPWAY_DOMAIN: 'development',
  };
  return () => rmSync(folder, { recursive: true, force: true });
});

const register = (...words: string[]) => slipway(['register', file, ...words], environment);
const write = (...tasks: (readonly [string, string])[]) =>
  writeArchive(
    file,
    tasks.map(([name, image], index) => ({ path: `${index}_${name}_1.pb`, content: taskFile(name, image) })),
  );

describe('slipway register', () => {
  it('writes one line for each entity, and notes what has no effect yet', async () => {
    write(['first', 'a']);
    const { code, out, err } = await register('--version', 'v1');
    expect({ code, out }).toEqual({ code: 0, out: 'task\tfirst\tv1\tnew\n' });
    expect(err).toContain('[0/1] task first\n');
    expect(err).toContain('note: task first: template.container.config is stored, and has no effect yet\n');
  });

  it('ends with code 1 and the differences if a version has another content, and does not go on', async () => {
    write(['changed', 'a']);
    await register('--version', 'v1');
    write(['changed', 'b'], ['after', 'a']);
    const { code, out, err } = await register('--version', 'v1');
    expect({ code, out }).toEqual({
      code: 1,
      out: 'task\tchanged\tv1\tdifferent\ntask\tafter\tv1\tnot tried\n',
    });
    expect(err).toContain('container.image: "a" → "b"');
    expect(err).toContain('give another --version');
    expect((await register('--version', 'v2')).code).toBe(0);
  });

  it('asks no server in a dry run', async () => {
    write(['dry', 'a']);
    environment['SLIPWAY_URL'] = 'http://127.0.0.1:1';
    const { code, out } = await register('--version', 'v1', '--dry-run', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        kind: 'task',
        name: 'dry',
        version: 'v1',
        notes: [{ path: 'template.container.config', what: 'kept' }],
      },
    ]);
  });

  it.each<[string, number, string[], Record<string, string>, string]>([
    ['no version', 2, [], {}, 'give --version'],
    ['an unknown flag', 2, ['--versoin', 'v1'], {}, '--version'],
    ['an unknown output', 2, ['--version', 'v1', '-o', 'xml'], {}, 'json'],
    ['an unknown context', 2, ['--version', 'v1', '--context', 'a'], {}, 'there is no context a'],
    ['a time limit that is none', 2, ['--version', 'v1', '--timeout', 'soon'], {}, '--timeout'],
    ['an unknown project', 3, ['--version', 'v1', '-p', 'absent'], {}, 'not found'],
    ['a wrong token', 4, ['--version', 'v1'], { SLIPWAY_TOKEN: 'wrong' }, 'SLIPWAY_ACCESS_KEY'],
    ['a server that does not answer', 7, ['--version', 'v1', '--url', 'http://127.0.0.1:1'], {}, '--url'],
  ])('ends with its own code for %s', async (_name, code, words, changes, message) => {
    write(['refused', 'a']);
    Object.assign(environment, changes);
    const ended = await register(...words);
    expect(ended.err).toContain(message);
    expect(ended.code).toBe(code);
  });

  it.each([
    ['1_a_1.pb', Buffer.from('hello')],
    ['1_a_1.pb', Buffer.alloc(0)],
    ['1_a_2.pb', taskFile('a')],
    ['1_a_1.pb', taskFile('a', 'a', ResourceType.WORKFLOW)],
    ['1_a_1.pb', taskFile('')],
    ['1_a_4.pb', taskFile('a')],
    ['fast1.tar.gz', Buffer.from('code')],
  ])('refuses a file that is not what its name says: %s', async (path, content) => {
    writeArchive(file, [{ path, content }]);
    const { code, err } = await register('--version', 'v1');
    expect(err).toContain(path);
    expect(code).toBe(2);
  });

  it('writes errors as JSON if data is JSON', async () => {
    writeArchive(file, []);
    const { err, code } = await register('--version', 'v1', '-o', 'json');
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
    expect(code).toBe(2);
  });

  it('takes the server, project and domain from the current context', async () => {
    mkdirSync(join(folder, 'slipway'));
    const context = `{ name: here, url: "${app.url}", project: demo, domain: staging }`;
    writeFileSync(join(folder, 'slipway/config.yaml'), `current: here\ncontexts: [${context}]\n`);
    write(['by-context', 'a']);
    const { SLIPWAY_TOKEN = '' } = environment;
    environment = { SLIPWAY_TOKEN, XDG_CONFIG_HOME: folder };
    expect((await register('--version', 'v1')).code).toBe(0);
    const found = await app.ask(
      '{ task(by: { key: { project: "demo", domain: "staging", name: "by-context", version: "v1" } }) { name } }',
    );
    expect(found.data.task).toEqual({ name: 'by-context' });
    const listed = await slipway(['context', 'list'], environment);
    expect(listed.out).toBe(`*\there\t${app.url}\tdemo\tstaging\n`);
  });
});
