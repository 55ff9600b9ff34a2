/** The package in examples/client, which is generated, type-checked and run as its README says. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hands } from '../support/hands.ts';
import { registerWorkflow } from '../support/seed.ts';
import { project, type Stage, startStage } from './stage.ts';

const npm = (...args: string[]) => promisify(execFile)('npm', [...args, '-w', 'slipway-example-client']);

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await registerWorkflow(stage.app, project, 'chain', { first: [], second: ['first'] });
  await npm('run', 'generate');
});
afterAll(() => stage.stop());

/** @param onLine  is told each line of what it prints as it comes. */
function run(args: readonly string[], { onLine = (_line: string) => {}, password = '' } = {}) {
  const { administrator } = stage.app.secrets;
  return new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'examples/client/src/main.ts', ...args], {
      env: {
        ...process.env,
        SLIPWAY_URL: stage.wire.url,
        SLIPWAY_PASSWORD: password || administrator.password,
      },
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      for (const line of text.split('\n').filter(Boolean)) onLine(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.once('close', (status) => resolve({ status, out, err }));
  });
}

describe('the example client', () => {
  it('is well typed', async () => {
    await npm('run', 'types');
  });

  it('signs in and lists the projects', async () => {
    const { status, out } = await run([]);
    expect(out).toBe(`Signed in as admin (ADMIN).\n  ${project}  ${project}  ACTIVE\n`);
    expect(status).toBe(0);
  });

  it('says why a call is refused', async () => {
    const { status, err } = await run([], { password: 'wrong' });
    expect(err).toBe('UNAUTHENTICATED: the credentials are not valid\n');
    expect(status).toBe(1);
  });

  it('names the inputs that are wrong', async () => {
    const { status, err } = await run(['--inputs', '{"x": "text"}', `${project}/development/chain/v1`]);
    expect(err).toMatch(/^input\.inputs\.x: /);
    expect(status).toBe(1);
  });

  it('launches an execution and follows it to its end, also after a lost connection', async () => {
    const hands = new Hands(stage.app);
    let isOver = false;
    let isCut = false;
    const work = hands.work(async () => isOver);
    const { status, out } = await run(['--inputs', '{"x": 21}', `${project}/development/chain/v1`], {
      onLine(line) {
        if (isCut || !line.includes('first')) return;
        isCut = true;
        stage.wire.cut();
      },
    });
    isOver = true;
    await work;
    expect(isCut).toBe(true);
    const events = out.split('\n').filter((line) => /^ {2}\d{4}-/.test(line));
    const moves = events.map((line) => line.trim().split('  ').slice(1).join(' '));
    expect(new Set(moves).size).toBe(moves.length);
    expect(moves).toEqual(expect.arrayContaining(['first QUEUED', 'first SUCCEEDED', 'second SUCCEEDED']));
    expect(out).toMatch(/SUCCEEDED after PT[\d.]+S\n\{"z":84\}\n$/);
    expect(status).toBe(0);
  });
});
