import type { ServerResponse } from 'node:http';
import { UnavailableError } from '../platform/errors.ts';

export interface RequestUnderWay {
  readonly signal: AbortSignal;
}

/** The running requests. A server that stops ends requests that wait, and waits for requests that work. */
export class RequestsUnderWay {
  readonly #controllers = new Set<AbortController>();
  readonly #working = new Set<Promise<unknown>>();
  #stopping = false;

  get isStopping(): boolean {
    return this.#stopping;
  }

  /**
   * A request with a signal that fires when the client disconnects or the server stops. The signal is made when somebody
   * asks for it.
   */
  begin(response: ServerResponse): RequestUnderWay {
    let controller: AbortController | null = null;
    let hasEnded = false;
    response.once('close', () => {
      hasEnded = true;
      if (controller) this.end(controller);
    });
    const open = () => {
      const opened = this.open();
      if (hasEnded) this.end(opened);
      controller = opened;
      return opened;
    };
    return {
      get signal() {
        return (controller ?? open()).signal;
      },
    };
  }

  /** Work that must end before the server has stopped, also if its client has gone. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    try {
      return await work;
    } finally {
      this.#working.delete(work);
    }
  }

  /** Resolves when all such work has ended. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  /** The same for work that has no response of its own: an operation over a WebSocket. */
  open(): AbortController {
    const controller = new AbortController();
    this.#controllers.add(controller);
    if (this.#stopping) controller.abort(new ServerStopping());
    return controller;
  }

  end(controller: AbortController): void {
    this.#controllers.delete(controller);
    controller.abort();
  }

  /** Ends all waiting: long polls answer, subscriptions end. */
  stop(): void {
    this.#stopping = true;
    for (const controller of this.#controllers) controller.abort(new ServerStopping());
  }
}

/** The reason of a signal, if it is not that the client has disconnected. New requests are refused with it too. */
export class ServerStopping extends UnavailableError {
  constructor() {
    super('the server is stopping, try again');
  }
}
