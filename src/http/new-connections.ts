import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { HoldUp, turns } from './turns.ts';

/**
 * The connections of a server that nobody has read from. The event loop takes up one connection in a round. If many come
 * together, and each of them has sent much, reading them at once would hold up those that are still to be taken up. So
 * all are taken up first. Then they are read, one in each round, the newest and the oldest in turn: no connection waits
 * for all that came before it, and none for ever.
 */
export class NewConnections {
  readonly #unread: Socket[] = [];
  /** Reading waits while more connections come. */
  readonly #holdUp = new HoldUp();
  #isNewestNext = true;

  /** Reads the connections of this server in this way. */
  watch(server: Server): void {
    // An option of `net.createServer` that `http.createServer` does not pass on.
    Object.assign(server, { pauseOnConnect: true });
    server.on('connection', (socket) => this.#add(socket));
  }

  #add(socket: Socket): void {
    this.#holdUp.addCause();
    turns.noteConnection();
    if (this.#unread.push(socket) === 1) setImmediate(this.#round);
  }

  readonly #round = (): void => {
    if (!this.#holdUp.endRound()) this.#readOne();
    if (this.#unread.length === 0) return;
    turns.noteConnection();
    setImmediate(this.#round);
  };

  #readOne(): void {
    const socket = this.#isNewestNext ? this.#unread.pop() : this.#unread.shift();
    this.#isNewestNext = !this.#isNewestNext;
    socket?.resume();
  }
}
