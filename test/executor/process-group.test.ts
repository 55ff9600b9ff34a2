import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { RunSpec } from '../../src/executor/host/run-spec.ts';
import {
  endProcesses,
  listRunProcesses,
  pauses,
  signalTarget,
} from '../../src/executor/runtimes/process/process-group.ts';
import { identifyProcess, isSameProcess } from '../../src/platform/process-identity.ts';
import {
  BLOB,
  createRoot,
  FolderBlobs,
  finish,
  isAlive,
  listFolder,
  node,
  shell,
  waitUntil,
} from './fixture.ts';

/** Runs a spec until it has printed `ready`, and then cancels it. The numbers that it printed are process ids. */
async function cancelWhenReady(spec: RunSpec) {
  const cancel = new AbortController();
  let printed = '';
  const run = await finish(spec, {
    signal: cancel.signal,
    onLog: ({ text }) => {
      printed += text;
      if (!printed.includes('ready') || cancel.signal.aborted) return;
      cancel.abort();
    },
  });
  const pids = (printed.match(/\d+/g) ?? []).map(Number);
  return { ...run, pids };
}

describe('cancel', () => {
  it('lets a command end itself on SIGTERM', async () => {
    const run = await cancelWhenReady(
      shell('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.02; done', {
        terminationGraceSeconds: 600,
      }),
    );
    expect(run.outcome).toEqual({ kind: 'CANCELLED' });
    expect(run.stdout).toContain('bye');
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('kills grandchildren that ignore SIGTERM after the grace period', async () => {
    const stubborn = `trap "" TERM; (trap "" TERM; sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & echo $!; wait) & echo $! ready; wait; wait`;
    const run = await cancelWhenReady(shell(stubborn, { terminationGraceSeconds: 0.4 }));
    expect(run.outcome).toEqual({ kind: 'CANCELLED' });
    expect(run.pids.length).toBeGreaterThanOrEqual(2);
    expect(run.pids.filter(isAlive)).toEqual([]);
  });

  it('kills children that outlive their parent', async () => {
    const run = await cancelWhenReady(
      shell('(trap "" TERM; sleep 60) & echo $! ready; sleep 60', { terminationGraceSeconds: 0.2 }),
    );
    expect(run.outcome.kind).toBe('CANCELLED');
    expect(run.pids.filter(isAlive)).toEqual([]);
  });

  it('kills a stopped command, which does not receive SIGTERM', async () => {
    const run = await cancelWhenReady(
      shell('echo $$ ready; kill -STOP $$', { terminationGraceSeconds: 0.2 }),
    );
    expect(run.outcome.kind).toBe('CANCELLED');
    expect(run.pids.filter(isAlive)).toEqual([]);
  });

  it('starts nothing when it comes before the start', async () => {
    const run = await finish(shell('echo started'), { signal: AbortSignal.abort() });
    expect([run.outcome, run.stdout]).toEqual([{ kind: 'CANCELLED' }, '']);
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('starts nothing when it comes while an input is fetched', async () => {
    const cancel = new AbortController();
    const root = await createRoot();
    const blobs = new FolderBlobs(root);
    blobs.fetch = (_uri: string, _file: string, signal?: AbortSignal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        cancel.abort();
      });
    let isStarted = false;
    const { outcome } = await finish(
      shell(':', {
        interface: { inputs: { a: { type: BLOB } }, outputs: {} },
        inputs: { a: 'slipway://x' },
      }),
      {
        ...{ root, blobs, signal: cancel.signal },
        onStarted: () => {
          isStarted = true;
        },
      },
    );
    expect([outcome, isStarted]).toEqual([{ kind: 'CANCELLED' }, false]);
    expect(await listFolder(root)).toEqual([]);
  });
});

describe('the end of a command', () => {
  it('ends processes that it left in the background', async () => {
    const run = await finish(
      shell('sleep 60 & echo $!; (trap "" TERM; sleep 60) & echo $!', { terminationGraceSeconds: 0.2 }),
    );
    expect(run.outcome.kind).toBe('SUCCEEDED');
    const pids = run.stdout.trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'ends processes that left its process group or its session',
    async () => {
      const run = await finish(
        node(`const { spawn } = require('child_process');
        const group = spawn('bash', ['-c', 'set -m; env -i sleep 60 & echo $!'], { stdio: ['ignore', 'inherit', 'inherit'] });
        group.on('exit', () => {
          const daemon = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
          console.log(daemon.pid);
          daemon.unref();
        });`),
      );
      expect(run.outcome.kind).toBe('SUCCEEDED');
      const pids = run.stdout.trim().split('\n').map(Number);
      expect(pids).toHaveLength(2);
      expect(pids.filter(isAlive)).toEqual([]);
    },
  );
});

describe('timeout', () => {
  it('ends the command and reports the timeout, whatever the exit code', async () => {
    const run = await finish(
      shell('trap "exit 0" TERM; echo $$; while :; do sleep 0.02; done', { timeoutSeconds: 0.2 }),
    );
    expect(run.outcome).toEqual({
      kind: 'FAILED',
      error: { code: 'DeadlineExceeded', kind: 'USER', message: 'the command ran longer than 0.2 s' },
      exitCode: 0,
      signal: null,
    });
    expect(isAlive(Number(run.stdout))).toBe(false);
  });

  it('may be longer than the longest timer', async () => {
    const run = await finish(shell('sleep 0.3', { timeoutSeconds: (2 ** 31 + 50) / 1000 }));
    expect(run.outcome.kind).toBe('SUCCEEDED');
  });
});

describe('callbacks', () => {
  it('include onStarted, which is called once when the command runs; an error in it leaves no process behind', async () => {
    let starts = 0;
    await finish(shell(':'), {
      onStarted: () => {
        starts += 1;
      },
    });
    expect(starts).toBe(1);
    let printed = '';
    const running = finish(shell('echo $$; sleep 60'), {
      onStarted: () => {
        throw new Error('a bug of ours');
      },
      onLog: ({ text }) => {
        printed += text;
      },
    });
    await expect(running).rejects.toThrow('a bug of ours');
    expect(printed === '' || !isAlive(Number(printed))).toBe(true);
  });
});

describe('signalTarget', () => {
  it('is the whole group, never every process and never our own group', () => {
    expect(signalTarget({ pid: 50, group: 40 }, 30)).toBe(-40);
    expect(signalTarget({ pid: 50, group: 30 }, 30)).toBe(50);
    expect(signalTarget({ pid: 50, group: 0 }, 30)).toBe(50);
    expect(signalTarget({ pid: 50, group: 1 }, 30)).toBe(50);
    expect(signalTarget({ pid: 50, group: Number.NaN }, 30)).toBe(50);
  });
});

describe.runIf(process.platform === 'linux')('listRunProcesses', () => {
  it('does not list a zombie, which might never be reaped', async () => {
    const idle = spawn('bash', ['-c', 'set -m; sleep 0.05 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [printed] = await once(idle.stdout, 'data');
    const zombie = Number(String(printed));
    expect(listRunProcesses('no-run', zombie).map(({ pid }) => pid)).toEqual([zombie]);
    await waitUntil(() => listRunProcesses('no-run', zombie).length === 0, 'only a zombie was left');
    expect(identifyProcess(zombie)).not.toBeNull();
    idle.kill('SIGKILL');
    await once(idle, 'exit');
  });
});

describe('the pauses between two looks at processes that end', () => {
  it('begin with 2 ms and double up to 50 ms', () => {
    const looks = pauses();
    expect(Array.from({ length: 7 }, () => looks.next().value)).toEqual([2, 4, 8, 16, 32, 50, 50]);
  });
});

describe('endProcesses', () => {
  it('gives up on a process that survives SIGKILL, and names it', async () => {
    const unkillable = [{ pid: 2 ** 22 + 1, group: 2 ** 22 + 1 }];
    const left = await endProcesses(() => unkillable, { graceSeconds: 0.05, killWaitSeconds: 0.1 });
    expect(left).toEqual(unkillable);
  });
});

describe('identifyProcess', () => {
  it('identifies a process uniquely', async () => {
    const own = identifyProcess(process.pid);
    expect(own).not.toBeNull();
    if (own === null) return;
    expect(isSameProcess(own, identifyProcess(process.pid))).toBe(true);
    expect(isSameProcess(own, { ...own, startedAt: 'another boot 1' })).toBe(false);
    expect(identifyProcess(2 ** 22 + 1)).toBeNull();
  });

  it('reads a process whose name has spaces and parentheses', async () => {
    const run = await finish(
      shell('cp /bin/sleep "$TMPDIR/a) R 1 1 (b"; env -i "$TMPDIR/a) R 1 1 (b" 60 & echo $!'),
    );
    expect(run.outcome.kind).toBe('SUCCEEDED');
    expect(isAlive(Number(run.stdout))).toBe(false);
  });
});

describe('many runs at once', () => {
  it('do not disturb each other', async () => {
    const root = await createRoot();
    const runs = Array.from({ length: 12 }, async (_, index) => {
      const cancel = new AbortController();
      const script =
        index % 3 === 0 ? 'sleep 60' : `sleep 0.3; echo ${index}; exit ${index % 3 === 1 ? 0 : 5}`;
      const { outcome, stdout } = await finish(shell(script), {
        ...{ root, signal: cancel.signal },
        onStarted: () => index % 3 === 0 && cancel.abort(),
      });
      return [outcome.kind, stdout];
    });
    const expected = Array.from({ length: 12 }, (_, index) =>
      index % 3 === 0 ? ['CANCELLED', ''] : [index % 3 === 1 ? 'SUCCEEDED' : 'FAILED', `${index}\n`],
    );
    expect(await Promise.all(runs)).toEqual(expected);
    await waitUntil(async () => (await listFolder(root)).length === 0, 'all directories were gone');
  });
});
