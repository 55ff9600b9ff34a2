import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { turns } from './turns.ts';

/** More connections in a row do not hold up those before them: so many rounds of the event loop, with one in each. */
const MAX_ROUNDS = 64;

/**
 * The connections of a server that nobody has read from. The event loop takes up one connection in a round. If many come
 * together, and each of them has sent much, reading them at once would hold up those that are still to be taken up. So
 * all are taken up first. Then they are read, one in each round, the newest and the oldest in turn: no connection waits
 * for all that came before it, and none for ever.
 */
export class NewConnections {
  readonly #unread: Socket[] = [];
  #hasNew = false;
  #rounds = 0;
  #isNewestNext = true;

  /** Reads the connections of this server in this way. */
  watch(server: Server): void {
    // An option of `net.createServer` that `http.createServer` does not pass on.
    Object.assign(server, { pauseOnConnect: true });
    server.on('connection', (socket) => this.#add(socket));
  }

  #add(socket: Socket): void {
    this.#hasNew = true;
    turns.noteConnection();
    if (this.#unread.push(socket) === 1) setImmediate(this.#round);
  }

  readonly #round = (): void => {
    const isMore = this.#hasNew && this.#rounds < MAX_ROUNDS;
    this.#hasNew = false;
    this.#rounds = isMore ? this.#rounds + 1 : 0;
    if (!isMore) this.#readOne();
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
