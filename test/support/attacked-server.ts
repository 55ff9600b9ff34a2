/** A server in a process of its own, and what an attack costs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../src/platform/node-flags.ts';
import { startServerProcess } from './second-server.ts';

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** Compiled, as in production; `npm run test:soak` compiles it before. */
const COMPILED = [
  ...[...nodeFlags, '--import', pathOf('report-loop-delay.mjs')],
  pathOf('../../dist/bin/server.js'),
];
const SOURCES = [
  ...['--import', 'tsx', '--import', pathOf('report-loop-delay.mjs')],
  pathOf('../../src/bin/server.ts'),
];

/** What happened between two moments. */
export interface Figures {
  /** How often the server said that it is alive, and how often it did not answer. */
  readonly answers: number;
  readonly failures: number;
  /** The longest time until such an answer. */
  readonly slowestMs: number;
  /** The longest delay of the event loop of the program that asked: it was slow itself. */
  readonly ownDelayMs: number;
  /** The same for the server. */
  readonly loopDelayMs: number;
  /** CPU time of the server, in user and kernel mode. */
  readonly cpuMs: number;
  /** For how long the server was ready to run, but other processes had the processors. */
  readonly waitedMs: number;
  /** The most memory that the server had. */
  readonly rssMb: number;
}

export interface AttackedServer {
  readonly url: string;
  /** Begins to watch. The result ends it. */
  watch(): Promise<() => Promise<Figures>>;
  stop(): Promise<void>;
}

export async function startAttackedServer({ isCompiled }: { isCompiled: boolean }): Promise<AttackedServer> {
  const { child, url, stop } = await startServerProcess(isCompiled ? COMPILED : SOURCES, {
    METRICS_PORT: 'off',
  });
  const pid = child.pid ?? 0;
  const loopDelay = async () => {
    const answer = once(child, 'message') as Promise<[{ loopDelayMs: number }]>;
    child.send('loop delay');
    return (await answer)[0].loopDelayMs;
  };
  return {
    url,
    stop,
    async watch() {
      const sampler = spawn(process.execPath, [pathOf('sample-health.mjs'), url], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      await once(sampler, 'message');
      await loopDelay();
      forgetPeak(pid);
      const before = timesOf(pid);
      return async () => {
        const [after, rssMb, loopDelayMs] = [timesOf(pid), peakMbOf(pid), await loopDelay()];
        const told = once(sampler, 'message') as Promise<
          [Pick<Figures, 'answers' | 'failures' | 'slowestMs' | 'ownDelayMs'>]
        >;
        sampler.send('end');
        const [seen] = await told;
        const [cpuMs, waitedMs] = [after.cpuMs - before.cpuMs, after.waitedMs - before.waitedMs];
        return { ...seen, loopDelayMs, cpuMs, waitedMs, rssMb };
      };
    },
  };
}

/** Clock ticks of Linux last 10 ms. */
const TICK_MS = 10;

/** Source: proc(5). */
function timesOf(pid: number): { cpuMs: number; waitedMs: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program may have spaces. The fields behind it begin with the third one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, waitedNs = 0] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    waitedMs: Math.round(waitedNs / 1e6),
  };
}

/** The peak counts again from now on. */
const forgetPeak = (pid: number) => writeFileSync(`/proc/${pid}/clear_refs`, '5');

function peakMbOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
