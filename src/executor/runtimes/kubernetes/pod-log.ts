import { closeSync, constants, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import type { Log } from '../../../platform/log.ts';
import { BackOff } from '../../host/retry.ts';
import type { LogFiles } from '../../host/run-files.ts';
import { isFault, type KubernetesApi } from './kubernetes-api.ts';
import { COMMAND } from './pod-manifest.ts';

export interface PodLogOptions {
  readonly api: KubernetesApi;
  readonly log: Log;
  readonly namespace: string;
  readonly pod: string;
  readonly files: LogFiles;
  /** How much of the beginning is kept; of the rest, only the end. */
  readonly limitBytes: number;
}

const END_BYTES = 16 * 1024;

/**
 * Copies the log of a pod into the files of its run, while the command runs and when it has ended. Kubernetes gives both
 * streams of output as one. An executor that comes later reads the log again and leaves out what the file already has.
 */
export class PodLog {
  readonly #options: PodLogOptions;
  readonly #stop = new AbortController();
  #following: Promise<void> | null = null;

  constructor(options: PodLogOptions) {
    this.#options = options;
  }

  /** Begins to follow the log. It can be called again. */
  follow(): void {
    this.#following ??= this.#follow(this.#stop.signal).catch(() => {});
  }

  /**
   * Waits until the log is in the files, when the command has ended.
   *
   * @param isKept  whether Kubernetes still has the log, so that it can be read again.
   */
  async finish(isKept: boolean, milliseconds: number): Promise<void> {
    const limit = AbortSignal.timeout(milliseconds);
    if (!isKept) {
      // What is still under way arrives, and then the stream ends.
      const isOver = new Promise((resolve) => limit.addEventListener('abort', resolve));
      await Promise.race([this.#following, isOver]);
    }
    this.#stop.abort();
    await this.#following;
    if (!isKept) return;
    for (const backOff = new BackOff(); ; ) {
      try {
        return await this.#read(false, limit);
      } catch (error) {
        if (limit.aborted || isFault(error, 'NOT_FOUND', 'REFUSED')) {
          this.#options.log.warn({ reason: (error as Error).message }, 'the log of a pod is not complete');
          return;
        }
        await backOff.pause(limit, error).catch(() => {});
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (const backOff = new BackOff(); this.#room() > 0; ) {
      try {
        await this.#read(true, signal);
      } catch (error) {
        if (signal.aborted || isFault(error, 'NOT_FOUND')) return;
      }
      // The stream of a command that goes on can end too, for example when the kubelet starts again.
      await backOff.pause(signal, null);
    }
  }

  /** How much more the file of the beginning takes. */
  #room(): number {
    const size = statSync(this.#options.files.beginning, { throwIfNoEntry: false })?.size ?? 0;
    return this.#options.limitBytes - size;
  }

  async #read(follow: boolean, signal: AbortSignal): Promise<void> {
    const { api, namespace, pod, files, limitBytes } = this.#options;
    const known = limitBytes - this.#room();
    let position = 0;
    let end = Buffer.alloc(0);
    const file = openSync(files.beginning, constants.O_WRONLY | constants.O_CREAT, 0o600);
    const onData = (data: Buffer) => {
      const kept = data.subarray(0, Math.max(0, limitBytes - position));
      // Always at its own place, so that nothing is there twice, whoever writes it.
      if (position + kept.length > known) writeAll(file, kept, position);
      position += data.length;
      const rest = data.subarray(kept.length);
      if (rest.length > 0) end = Buffer.from(Buffer.concat([end, rest]).subarray(-END_BYTES));
    };
    const limit = follow ? { limitBytes } : {};
    try {
      await api.readLog(namespace, pod, { container: COMMAND, follow, ...limit, onData }, signal);
    } finally {
      closeSync(file);
    }
    if (!follow && end.length > 0) writeFileSync(files.end, end, { mode: 0o600 });
  }
}

function writeAll(file: number, data: Buffer, position: number): void {
  for (let done = 0; done < data.length; )
    done += writeSync(file, data, done, data.length - done, position + done);
}
