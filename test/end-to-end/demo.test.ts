/** `npm run demo`, as a user runs it: in its own process, without a terminal, from start to end. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepSaid } from '../support/leaks.ts';

const root = new URL('../../', import.meta.url);

interface DemoRun {
  readonly code: number | null;
  readonly output: string;
}

/** The demo's temporary homes are created here, so that the test sees what it leaves behind. */
const temporary = await mkdtemp(join(tmpdir(), 'slipway-demo-test-'));
afterAll(() => rm(temporary, { recursive: true, force: true }));

async function runDemo(args: string[], onOutput?: (output: string, pid: number) => void): Promise<DemoRun> {
  // As from a shell, without the settings of the tests.
  const { PATH, HOME, LANG } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/penguins/demo.ts', ...args], {
    cwd: root,
    env: { PATH, HOME, LANG, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      keepSaid('log', String(chunk));
      if (child.pid) onOutput?.(output, child.pid);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

const numberIn = (output: string, name: string) =>
  Number(new RegExp(`^ *${name} +([\\d.]+)`, 'm').exec(output)?.[1]);
const baselineIn = (output: string) => Number(/most common species gets ([\d.]+)/.exec(output)?.[1]);
const scoresIn = (output: string) => /^ *scores +(.*)$/m.exec(output)?.[1];

const isBuilt = existsSync(new URL('src/bin/start.ts', root));

describe.skipIf(!isBuilt)('npm run demo', () => {
  let plain: DemoRun;
  beforeAll(async () => {
    plain = await runDemo([]);
  });

  it('ends with SUCCEEDED, an accuracy far above the baseline, and a link to the execution', () => {
    expect(plain.output).toMatch(/^Execution [0-9a-f-]{36} SUCCEEDED$/m);
    expect(plain.code).toBe(0);
    expect(numberIn(plain.output, 'accuracy')).toBeGreaterThan(0.92);
    expect(baselineIn(plain.output)).toBeLessThan(0.6);
    expect(plain.output).toMatch(/GraphiQL: http:\/\/127\.0\.0\.1:\d+\/graphql/);
    expect(plain.output).not.toContain('\x1b');
    for (const node of ['clean', 'split', 'train-random-forest', 'evaluate-naive-bayes', 'choose', 'report'])
      expect(plain.output).toMatch(new RegExp(`^ *${node} +SUCCEEDED +attempt 1`, 'm'));
  });

  it('learns nothing from shuffled labels, and shuffles them differently with another seed', async () => {
    const shuffled = await runDemo(['--shuffle-labels', '--seed', '8']);
    expect(shuffled.code).toBe(0);
    expect(numberIn(shuffled.output, 'accuracy')).toBeLessThan(baselineIn(shuffled.output) + 0.15);
    const other = await runDemo(['--seed', '9']);
    expect(other.code).toBe(0);
    expect(numberIn(other.output, 'accuracy')).toBeGreaterThan(0.92);
    expect(scoresIn(other.output)).not.toBe(scoresIn(plain.output));
  });

  it('shows a failure with its node, attempts, reason and log', async () => {
    const { code, output } = await runDemo(['--fail']);
    expect(code).toBe(0);
    expect(output).toMatch(/^Execution [0-9a-f-]{36} FAILED$/m);
    expect(output).toMatch(/^ *node +train-naive-bayes$/m);
    expect(output).toMatch(/^ *error +USER, NonZeroExit$/m);
    expect(output).toMatch(/^ *message +flipperLengthMm is the same for all \d+ Chinstrap penguins/m);
    for (const attempt of [1, 2, 3]) expect(output).toMatch(new RegExp(`^ *attempt ${attempt} `, 'm'));
    expect(output).toMatch(/^ *\| flipperLengthMm is the same/m);
  });

  it('says on Ctrl-C that it was interrupted, also while it is still starting', async () => {
    let isAsked = false;
    const { output, code } = await runDemo([], (soFar, pid) => {
      if (isAsked || !soFar.includes('Starting PostgreSQL')) return;
      isAsked = true;
      process.kill(pid, 'SIGINT');
    });
    expect(output).toMatch(
      /^The demo was interrupted \(SIGINT\)\. Everything that it had started has ended\.$/m,
    );
    expect(output).not.toMatch(/failed/);
    expect(code).toBe(130);
    expect(readdirSync(temporary).filter((name) => name.startsWith('slipway-demo-'))).toEqual([]);
  });

  it('ends every process on Ctrl-C, also with the option to stay', async () => {
    let isAsked = false;
    const { output, code } = await runDemo(['--stay'], (soFar, pid) => {
      if (isAsked || !soFar.includes('Everything runs until Ctrl-C')) return;
      isAsked = true;
      process.kill(pid, 'SIGINT');
    });
    expect(output).toMatch(/Sign in to GraphiQL as admin with the password \S+/);
    expect(code).toBe(0);
    expect(readdirSync(temporary).filter((name) => name.startsWith('slipway-demo-'))).toEqual([]);
  });
});
