import type { ServerResponse } from 'node:http';
import { UnavailableError } from '../platform/errors.ts';

/** Requests under way, so that a stopping server can end those that wait and wait for those that work. */
export class RequestsUnderWay {
  readonly #controllers = new Set<AbortController>();
  #stopping = false;

  get isStopping(): boolean {
    return this.#stopping;
  }

  /** A signal that fires when the caller goes away or the server stops. */
  begin(response: ServerResponse): AbortSignal {
    const controller = this.open();
    response.once('close', () => this.end(controller));
    return controller.signal;
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

  /** Wakes everything that waits: long polls answer, subscriptions end. */
  stop(): void {
    this.#stopping = true;
    for (const controller of this.#controllers) controller.abort(new ServerStopping());
  }
}

/** Why a signal fired, when it is not the caller's going away; and why a request that comes now is refused. */
export class ServerStopping extends UnavailableError {
  constructor() {
    super('the server is stopping, try again');
  }
}
