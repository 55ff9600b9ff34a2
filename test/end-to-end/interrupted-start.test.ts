import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { homeMode } from '../../src/platform/database/embedded-host.ts';
import { keepSaid } from '../support/leaks.ts';
import { eventually } from '../support/waiting.ts';

const START = fileURLToPath(new URL('../../src/bin/start.ts', import.meta.url));

interface Start {
  readonly supervisor: ChildProcess;
  said(): string;
}

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'slipway-interrupted-'));
  chmodSync(home, homeMode());
});
afterEach(async () => {
  for (const pid of processesOf(home)) process.kill(pid, 'SIGKILL');
  await untilGone();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

function start(): Start {
  const { PATH, HOME } = process.env;
  const supervisor = spawn(process.execPath, ['--import', 'tsx', START], {
    env: { PATH, HOME, SLIPWAY_HOME: home, PORT: '0', METRICS_PORT: 'off', DRAIN_SECONDS: '5' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [supervisor.stdout, supervisor.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
      keepSaid('log', String(text));
    });
  return { supervisor, said: () => output };
}

/**
 * The living processes of the tree: processes with its home in their environment, and PostgreSQL, which works in it.
 */
function processesOf(folder: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.map(Number).filter((pid) => {
    try {
      const of = `/proc/${pid}`;
      if (/\) [ZX]/.test(readFileSync(`${of}/stat`, 'latin1'))) return false;
      const environment = readFileSync(`${of}/environ`, 'latin1').split('\0');
      return environment.includes(`SLIPWAY_HOME=${folder}`) || readlinkSync(`${of}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

async function untilGone(): Promise<void> {
  await eventually(
    async () => processesOf(home),
    (left) => left.length === 0,
  );
}

const processes = (): Record<string, number | null> =>
  existsSync(join(home, 'processes.json'))
    ? JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8'))
    : {};

/** The moments of a start, in order. */
const moments: Record<string, (start: Start) => boolean> = {
  'the database is being made': () =>
    existsSync(join(home, 'postgres')) &&
    readdirSync(join(home, 'postgres')).some((entry) => entry.startsWith('data.new-')),
  'the database runs': () => Number(processes()['postgres']) > 0,
  'the server is starting': () => Number(processes()['server']) > 0,
  'the server has started, the others are starting': ({ said }) =>
    /"process":"server".*"msg":"started"/.test(said()) && Number(processes()['executor']) > 0,
  'everything has started': ({ said }) => said().includes('Slipway is ready'),
};

/**
 * All signals at all moments would take minutes. An ordinary run takes one signal for each moment, and two at the
 * moments with the most processes.
 */
function signalsAt(moment: string): NodeJS.Signals[] {
  if (process.env['SOAK']) return ['SIGINT', 'SIGTERM', 'SIGKILL'];
  if (moment === 'the server has started, the others are starting') return ['SIGINT', 'SIGKILL'];
  return [Object.keys(moments).indexOf(moment) % 2 === 0 ? 'SIGTERM' : 'SIGKILL'];
}

describe.runIf(process.platform === 'linux')('npm start', () => {
  describe.each(Object.entries(moments))('interrupted when %s', (moment, isThere) => {
    it.each(signalsAt(moment))('by %s leaves no process alive', async (signal) => {
      const tree = start();
      await eventually(
        async () => isThere(tree),
        (there) => there || tree.supervisor.exitCode !== null,
      );
      const exited = once(tree.supervisor, 'exit');
      tree.supervisor.kill(signal);
      const [code] = await exited;
      if (signal !== 'SIGKILL') {
        expect(code).toBe(0);
        expect(tree.said()).not.toMatch(/"level":(50|60)|did not start/);
        expect(existsSync(join(home, 'processes.json'))).toBe(false);
      }
      await untilGone();
    });
  });

  it('is refused while another process uses the home, and does not touch the files of that process', async () => {
    const first = start();
    await eventually(
      async () => moments['everything has started']?.(first),
      (there) => there === true || first.supervisor.exitCode !== null,
    );
    const before = processes();
    const second = start();
    const [code] = await once(second.supervisor, 'close');
    expect(code).toBe(1);
    expect(second.said()).toBe(
      `SLIPWAY_HOME: ${home} is in use by process ${first.supervisor.pid}. Stop that process, or set SLIPWAY_HOME to another folder.\n`,
    );
    expect(processes()).toEqual(before);
    first.supervisor.kill('SIGTERM');
    await untilGone();
  });
});
