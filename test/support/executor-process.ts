/** An executor as a process of its own, which a test can kill and start again in the same folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from './app.ts';
import { keepSaid } from './leaks.ts';
import { eventually } from './waiting.ts';

const EXECUTOR = fileURLToPath(new URL('../../src/bin/executor.ts', import.meta.url));

export class ExecutorProcess {
  readonly home: string;
  readonly #environment: NodeJS.ProcessEnv;
  #process: ChildProcess | null = null;
  #said = '';

  constructor(app: App, environment: NodeJS.ProcessEnv = {}) {
    this.home = mkdtempSync(join(tmpdir(), 'slipway-executor-home-'));
    const credentialFile = join(this.home, 'credential.json');
    writeFileSync(credentialFile, JSON.stringify(app.secrets.executor), { mode: 0o600 });
    const { PATH, HOME, TMPDIR } = process.env;
    this.#environment = {
      ...{ PATH, HOME, TMPDIR },
      SLIPWAY_URL: app.url,
      SLIPWAY_HOME: this.home,
      SLIPWAY_CREDENTIAL_FILE: credentialFile,
      SLIPWAY_EXECUTOR_CPU: '1000',
      SLIPWAY_EXECUTOR_MEMORY: '1Ti',
      DRAIN_SECONDS: '10',
      ...environment,
    };
  }

  start(): void {
    const child = spawn(process.execPath, ['--import', 'tsx', EXECUTOR], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
        keepSaid('log', text);
      });
    this.#process = child;
  }

  /** Everything that its processes have logged. */
  said(): string {
    return this.#said;
  }

  async untilSaid(text: string): Promise<void> {
    await eventually(
      () => this.#said,
      (said) => said.includes(text),
    );
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}
