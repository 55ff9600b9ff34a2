import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ResourceType } from '../../src/generated/proto/flyteidl/core/identifier_pb.ts';
import { db } from '../../src/platform/database/client.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { slipway } from './command-line.ts';
import { launchPlanFile, taskFile, workflowFile, writeArchive } from './packages.ts';

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

describe('slipway register --dry-run', () => {
  const withOutput = (name: string) => taskFile(name, 'a', ResourceType.TASK, true);
  const writeFiles = (files: Readonly<Record<string, Uint8Array>>) =>
    writeArchive(
      file,
      Object.entries(files).map(([path, content]) => ({ path, content })),
    );
  const dryRun = async (...words: string[]) => {
    const { code, out, err } = await register('--version', 'v1', '--dry-run', '-o', 'json', ...words);
    return { code, err, rows: out === '' ? [] : JSON.parse(out) };
  };
  const outcomesOf = (rows: readonly { name: string; outcome: string }[]) =>
    Object.fromEntries(rows.map(({ name, outcome }) => [name, outcome]));
  const countVersions = async () =>
    (await db.task.count()) + (await db.workflow.count()) + (await db.launchPlan.count());

  it('says of each entity whether it is new, unchanged or different, and stores nothing', async () => {
    write(['same', 'a'], ['other', 'a']);
    await register('--version', 'v1');
    const before = await countVersions();
    write(['same', 'a'], ['other', 'b'], ['fresh', 'a']);
    const { code, err, rows } = await dryRun();
    expect(outcomesOf(rows)).toEqual({ same: 'unchanged', other: 'different', fresh: 'new' });
    expect(code).toBe(9);
    expect(err).toContain('container.image');
    expect(await countVersions()).toBe(before);
  });

  it('ends with code 0 if everything can be registered', async () => {
    write(['fresh-only', 'a']);
    const { code, rows } = await dryRun();
    expect([code, outcomesOf(rows)]).toEqual([0, { 'fresh-only': 'new' }]);
  });

  it('knows that new versions of the package are not there yet, and says what it cannot check', async () => {
    writeFiles({
      '0_t_1.pb': withOutput('chain-task'),
      '1_w_2.pb': workflowFile('chain-flow', 'chain-task'),
      '2_p_3.pb': launchPlanFile('chain-plan', 'chain-flow'),
    });
    const { code, err, rows } = await dryRun();
    expect(outcomesOf(rows)).toEqual({ 'chain-task': 'new', 'chain-flow': 'new', 'chain-plan': 'new' });
    expect(code).toBe(0);
    expect(err).toContain('note: workflow chain-flow: its content is checked only when it is registered');
    expect(err).not.toContain('task chain-task: its content');
    expect((await register('--version', 'v1')).code).toBe(0);
    const again = await dryRun();
    expect(Object.values(outcomesOf(again.rows))).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(again.err).not.toContain('checked only');
  });

  it('says that a version is different if it refers to new versions instead', async () => {
    writeFiles({ '0_t_1.pb': withOutput('old-task'), '1_w_2.pb': workflowFile('moved-flow', 'old-task') });
    expect((await register('--version', 'v1')).code).toBe(0);
    writeFiles({ '0_t_1.pb': withOutput('new-task'), '1_w_2.pb': workflowFile('moved-flow', 'new-task') });
    const { code, rows } = await dryRun();
    expect([code, outcomesOf(rows)]).toEqual([9, { 'new-task': 'new', 'moved-flow': 'different' }]);
  });

  it('goes on after a refusal, and shows each', async () => {
    writeFiles({
      '0_w_2.pb': workflowFile('lost', 'absent-task'),
      '1_p_3.pb': launchPlanFile('lost-too', 'absent-flow'),
      '2_t_1.pb': withOutput('after'),
    });
    const { code, err, rows } = await dryRun();
    expect(outcomesOf(rows)).toEqual({ lost: 'refused', 'lost-too': 'refused', after: 'new' });
    expect(code).toBe(9);
    expect(err).toContain('2 of the entities');
    expect(err).toContain('absent-task');
    expect(err).toContain('absent-flow');
  });

  it('does not hide another fault behind a version that is not there yet', async () => {
    writeFiles({
      '0_t_1.pb': withOutput('unseen'),
      '1_w_2.pb': workflowFile('faulty', 'unseen', ['n0', 'n0']),
    });
    const { code, err, rows } = await dryRun();
    expect([code, outcomesOf(rows)]).toEqual([9, { unseen: 'new', faulty: 'refused' }]);
    expect(err).toContain('n0');
  });

  it('asks no server with --offline', async () => {
    write(['offline', 'a']);
    environment['SLIPWAY_TOKEN'] = 'wrong';
    const { code, rows, err } = await dryRun('--offline');
    expect(code).toBe(0);
    expect(rows).toEqual([
      {
        kind: 'task',
        name: 'offline',
        version: 'v1',
        notes: [{ path: 'template.container.config', what: 'kept' }],
      },
    ]);
    expect(err).not.toContain('compared');
  });

  it('compares nothing without a sign-in, but ends with code 4 if the token is wrong', async () => {
    write(['unsigned', 'a']);
    const { SLIPWAY_TOKEN: _token, ...unsigned } = environment;
    environment = unsigned;
    const { code, err, rows } = await dryRun();
    expect([code, outcomesOf(rows)]).toEqual([0, { unsigned: undefined }]);
    expect(err).toContain('nothing was compared');
    environment['SLIPWAY_TOKEN'] = 'wrong';
    expect((await dryRun()).code).toBe(4);
  });
});
