import { CloseCode, type Server } from 'graphql-ws';
import pLimit from 'p-limit';
import type WebSocket from 'ws';
import { log } from '../platform/log.ts';
import { ArrivedMessages, isLong } from './arrived-messages.ts';
import { bytesUnderWay, STRANGER_LIMIT_BYTES } from './bytes-under-way.ts';
import type { Meter } from './rate.ts';
import { LONG_BODY_BYTES, turns } from './turns.ts';
import { asSent, unreadAnswers } from './unread-answers.ts';

const PING_EVERY_MS = 12_000;
/** A client that reads nothing for so long, while answers wait, loses its connection. */
const UNREAD_MS = 20_000;
/** While so much waits to be sent, nothing more is read. */
const UNSENT_BYTES = 1024 * 1024;
/** How many queries and mutations of one connection run at the same time. The others wait in their order. */
const MAX_AT_ONCE = 10;
/** WebSocket's "message too big". */
const TOO_BIG = 1009;
const TRY_AGAIN_LATER = 1013;

/**
 * One WebSocket between its client and graphql-ws. It reads no faster than its client does: if answers wait to be sent,
 * or if many operations wait to run, it stops reading, and TCP then stops the client.
 */
export class SocketConnection {
  readonly socket: WebSocket;
  readonly #turns = pLimit(MAX_AT_ONCE);
  /** What has arrived of a message that is not complete. */
  #partBytes = 0;
  #bytes = bytesUnderWay.stranger;
  #unsentBefore = 0;
  #meter: Meter;
  readonly #messages = new ArrivedMessages((message) => {
    this.isLong = isLong(message);
    this.#take(String(message)).catch((error: unknown) => this.#fail(error));
  });
  #take: (text: string) => Promise<void> = async () => {};
  /** Whether the message is long that is being taken. */
  isLong = false;
  /** How many operations are being prepared. This takes long if the database is asked, and it is slow. */
  #preparing = 0;
  /** Whether the rest of a long message waits for its turn. */
  #isReceiving = false;
  #isAlive = true;
  readonly #timers: readonly NodeJS.Timeout[];

  /** @param meter  of the caller, as long as nobody has signed in. */
  constructor(socket: WebSocket, meter: Meter) {
    this.socket = socket;
    this.#meter = meter;
    this.#timers = [
      setInterval(() => this.#ping(), PING_EVERY_MS),
      setInterval(() => this.#closeIfUnread(), UNREAD_MS),
    ];
  }

  /** From now on, messages may be as long as the server's limit. */
  signIn(meter: Meter): void {
    this.#meter = meter;
    this.#settle();
    this.#bytes = bytesUnderWay.signedIn;
  }

  /** Prepares one operation. While as many are being prepared as may run, nothing more is read. */
  async prepare<T>(work: () => Promise<T>): Promise<T> {
    this.#preparing += 1;
    if (this.#preparing >= MAX_AT_ONCE) this.#readOrWait();
    try {
      return await work();
    } finally {
      this.#preparing -= 1;
      this.#readOrWait();
    }
  }

  /**
   * Runs one operation with one answer in its turn. The turn ends when the answer is sent, because until then the answer
   * is kept in memory.
   */
  async inTurn<T>(work: () => Promise<T>, sent: Promise<void>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const turn = this.#turns(async () => {
        // An operation that waited longer than its connection does not begin.
        if (this.socket.readyState !== this.socket.OPEN) return reject(new Error('the connection is closed'));
        const result = work();
        result.then(resolve, reject);
        await result;
        await sent;
      });
      turn.catch(() => {}).finally(() => this.#readOrWait());
      this.#readOrWait();
    });
  }

  /** Joins the socket to graphql-ws. @param incoming  the raw connection. */
  open<Extra extends object>(server: Server<Extra>, extra: Extra, incoming: NodeJS.ReadableStream): void {
    const { socket } = this;
    // A frame that is too long or broken closes its connection. The library has already told the client why.
    socket.on('error', () => {});
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    // Before the library reads the chunk, which may complete the message.
    incoming.prependListener('data', (chunk: Buffer) => this.#count(chunk.length));
    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (text) => this.#send(text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) => {
          this.#take = take;
          socket.on('message', (message: Buffer) => this.#receive(message));
        },
      },
      extra,
    );
    socket.once('close', (code, reason) => {
      for (const timer of this.#timers) clearInterval(timer);
      this.#messages.clear();
      this.#settle();
      closed(code, String(reason)).catch((error: unknown) => this.#fail(error));
    });
  }

  #receive(message: Buffer): void {
    this.#messages.add(message);
    if (this.#messages.count > 0) this.#readOrWait();
    else this.#settle();
  }

  #takeWaiting(): void {
    this.#messages.takeNext(this.#meter.owner).then((hasTaken) => {
      if (!hasTaken) return;
      if (this.#messages.count === 0) this.#settle();
      this.#readOrWait();
    }, this.#refuseTurn);
  }

  /** Resolves when the answer is on its way to the client, or when it is too late for it. */
  #send(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.readyState !== this.socket.OPEN) return resolve();
      let release = () => {};
      const message = asSent(text);
      this.socket.send(message, { binary: false }, () => {
        release();
        this.#readOrWait();
        resolve();
      });
      if (this.socket.bufferedAmount > 0)
        release = unreadAnswers.hold(this.#meter.payer, Buffer.byteLength(message));
      this.#readOrWait();
    });
  }

  #readOrWait(): void {
    const isBusy =
      this.socket.bufferedAmount > UNSENT_BYTES ||
      this.#turns.pendingCount > 0 ||
      this.#preparing >= MAX_AT_ONCE;
    if (!isBusy && this.#messages.count > 0) this.#takeWaiting();
    const mustWait = isBusy || this.#isReceiving || this.#messages.count > 0;
    if (mustWait && !this.socket.isPaused) this.socket.pause();
    if (!mustWait && this.socket.isPaused) this.socket.resume();
  }

  #count(bytes: number): void {
    this.#messages.beginChunk();
    if (bytes + this.#partBytes > LONG_BODY_BYTES) this.#receiveInTurns();
    const isStranger = this.#bytes === bytesUnderWay.stranger;
    if (isStranger && this.#partBytes + bytes > 2 * STRANGER_LIMIT_BYTES) {
      this.#refuse(TOO_BIG, `sign in to send messages of more than ${STRANGER_LIMIT_BYTES} bytes`);
      return;
    }
    try {
      this.#bytes.take(bytes);
      this.#partBytes += bytes;
    } catch {
      this.#refuse(TRY_AGAIN_LATER, 'too many long requests are arriving at the same time');
    }
  }

  /** The rest of a long message is received in turns, a little in each. */
  #receiveInTurns(): void {
    if (this.#isReceiving || this.#bytes === bytesUnderWay.stranger) return;
    this.#isReceiving = true;
    this.#readOrWait();
    turns.begin(this.#meter.owner).then(() => {
      this.#isReceiving = false;
      this.#readOrWait();
    }, this.#refuseTurn);
  }

  #settle(): void {
    this.#bytes.giveBack(this.#partBytes);
    this.#partBytes = 0;
  }

  readonly #refuseTurn = (): void =>
    this.#refuse(TRY_AGAIN_LATER, 'too many long requests wait for their turn');

  /** Closes a connection without reading the rest of its message. */
  #refuse(code: number, reason: string): void {
    this.socket.close(code, reason);
    this.socket.terminate();
  }

  #ping(): void {
    const { socket } = this;
    // What a paused connection has sent is not read, and so are its pongs.
    if (socket.readyState !== socket.OPEN || socket.isPaused) return;
    if (this.#isAlive) socket.ping();
    else socket.terminate();
    this.#isAlive = false;
  }

  #closeIfUnread(): void {
    const unsent = this.socket.bufferedAmount;
    if (unsent > 0 && unsent >= this.#unsentBefore && this.#unsentBefore > 0) this.socket.terminate();
    this.#unsentBefore = unsent;
  }

  /** Only the first failure counts: it closes the connection, and what has arrived behind it fails, too. */
  #fail(error: unknown): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    log.warn({ err: error }, 'a message over WebSocket failed');
    this.socket.close(CloseCode.InternalServerError, 'something went wrong');
  }
}
