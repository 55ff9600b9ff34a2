/** An executor in this process, and what stands between it and the server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../src/executor/host/client.ts';
import type { Runtime } from '../../src/executor/host/runtime.ts';
import { startWorkLoop, type WorkLoop } from '../../src/executor/host/work-loop.ts';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';
import { log } from '../../src/platform/log.ts';
import type { App } from './app.ts';

export interface ExecutorOptions {
  readonly name?: string;
  readonly slots?: number;
  readonly url?: string;
  readonly runtime?: Runtime;
  readonly drainSeconds?: number;
}

export interface TestExecutor extends WorkLoop {
  readonly folder: string;
}

export async function startExecutor(app: App, options: ExecutorOptions = {}): Promise<TestExecutor> {
  const { name = 'local', slots = 4, url = app.url, drainSeconds = 10 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-executor-'));
  const credentialFile = join(folder, 'credential.json');
  writeFileSync(credentialFile, JSON.stringify(app.secrets.executor));
  const runtime = options.runtime ?? createProcessRuntime({ root: join(folder, 'runs') });
  const client = createClient({ url, credentialFile, log });
  const loop = await startWorkLoop({ client, runtime, log, name, pool: 'default', slots, drainSeconds });
  return {
    folder,
    async stop() {
      await loop.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface CuttableLine {
  readonly url: string;
  /** Breaks what goes through, and lets nothing through any more. */
  cut(): void;
  mend(): void;
  close(): void;
}

/** A way to the server that can be interrupted. */
export async function cuttableLine(target: string): Promise<CuttableLine> {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`,
    cut,
    mend: () => {
      isCut = false;
    },
    close() {
      cut();
      server.close();
    },
  };
}
