import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { log } from '../log.ts';
import { databaseUrl } from './client.ts';
import { CHANNEL, type Topic } from './topics.ts';

/**
 * News between processes: NOTIFY on one channel, with `topic:id` and never data. News may be lost when a connection
 * breaks, so every listener also reads the tables, on `missed` and regularly by a timer.
 */

const MAX_PAUSE_MS = 1000;

export class Notifications {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  #client: pg.Client | null = null;
  #closed = false;
  #running: Promise<void> | null = null;

  /** Listens until `close`, and reconnects as often as necessary. Resolves when the first connection listens. */
  async start(): Promise<void> {
    const listening = new Promise<void>((resolve) => this.#emitter.once('listening', resolve));
    this.#running = this.#keepListening();
    await listening;
  }

  /**
   * Calls `listener` for each piece of news about `id`, or about all ids of the topic if `id` is null. Call the result
   * to stop this.
   */
  on(topic: Topic, id: string | null, listener: (id: string) => void): () => void {
    const name = id === null ? topic : `${topic}:${id}`;
    this.#emitter.on(name, listener);
    return () => this.#emitter.off(name, listener);
  }

  /** Calls `listener` when the connection was lost and news may be lost with it: look at the tables. */
  onMissed(listener: () => void): () => void {
    this.#emitter.on('missed', listener);
    return () => this.#emitter.off('missed', listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => {});
    await this.#running;
  }

  async #keepListening(): Promise<void> {
    for (let pause = 50; !this.#closed; ) {
      const client = new pg.Client({
        connectionString: databaseUrl,
        application_name: 'slipway-listen',
        connectionTimeoutMillis: 5_000,
        keepAlive: true,
      });
      try {
        const ended = new Promise<void>((resolve) => {
          client.once('end', resolve);
          client.once('error', () => resolve());
        });
        await client.connect();
        client.on('notification', ({ payload }) => this.#deliver(payload ?? ''));
        await client.query(`listen ${CHANNEL}`);
        this.#client = client;
        if (this.#closed) await client.end();
        pause = 50;
        this.#emitter.emit('listening');
        this.#emitter.emit('missed');
        await ended;
      } catch (error) {
        log.warn({ err: error }, 'listening for notifications failed');
      }
      this.#client = null;
      await client.end().catch(() => {});
      if (this.#closed) return;
      await sleep(pause);
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  }

  #deliver(payload: string): void {
    const colon = payload.indexOf(':');
    const topic = payload.slice(0, colon);
    const id = payload.slice(colon + 1);
    this.#emitter.emit(topic, id);
    this.#emitter.emit(payload, id);
  }
}

/** The listener of this process. Processes that serve subscriptions or long polls or run loops start it. */
export const notifications = new Notifications();
