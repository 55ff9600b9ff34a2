/** A client that sends much, sends slowly, or reads nothing. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import WebSocket from 'ws';

/** What came of one request. */
export interface Outcome {
  /** `closed` if the server closed the connection before the client had sent everything. */
  readonly status: number | 'closed';
  readonly codes: readonly string[];
  readonly bytes: number;
}

export class Attacker {
  readonly #url: string;
  readonly #open: { destroy(): void }[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Ends all its connections. */
  leave(): void {
    for (const one of this.#open.splice(0)) one.destroy();
  }

  /** Sends one request on a connection of its own. */
  post(body: string, authorization: string | null = null): Promise<Outcome> {
    return new Promise((resolve) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        ...(authorization ? { authorization } : {}),
      };
      const options = { method: 'POST', headers, agent: false };
      const sent = request(`${this.#url}/graphql`, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        response.once('close', () => {
          const codes = [...text.matchAll(/"code":"(\w+)"/g)].map(([, code = '']) => code);
          resolve({ status: response.statusCode ?? 0, codes: [...new Set(codes)], bytes: text.length });
        });
      });
      sent.once('error', () => resolve({ status: 'closed', codes: [], bytes: 0 }));
      sent.end(body);
    });
  }

  /** Sends the same request again and again, ten at the same time. */
  async flood(times: number, body: string, authorization: string | null = null): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    let left = times;
    const sendOn = async () => {
      for (; left > 0; outcomes.push(await this.post(body, authorization))) left -= 1;
    };
    await Promise.all(Array.from({ length: 10 }, sendOn));
    return outcomes;
  }

  /** Connections that send all of a body but its last bytes, and then nothing. @returns how many got an answer until now. */
  async slowBodies(count: number, bytes: number, authorization: string | null): Promise<() => number> {
    let answered = 0;
    const head = this.#headOf(bytes, authorization);
    const part = 'x'.repeat(bytes - 10);
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = await this.#connect();
        socket.once('data', () => {
          answered += 1;
        });
        socket.write(head);
        socket.write(part);
      }),
    );
    return () => answered;
  }

  /** Connections that send many requests and read no answer. */
  async unreadRequests(count: number, requests: number, body: string, authorization: string): Promise<void> {
    const text = `${this.#headOf(body.length, authorization)}${body}`.repeat(requests);
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = await this.#connect();
        socket.pause().write(text);
      }),
    );
  }

  /** WebSockets that send many operations and read no answer. */
  async unreadOperations(
    count: number,
    operations: number,
    query: string,
    authorization: string,
  ): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = new WebSocket(`${this.#url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        this.#open.push({ destroy: () => socket.terminate() });
        socket.on('error', () => {});
        await once(socket, 'open');
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
        await once(socket, 'message');
        socket.pause();
        for (let id = 1; id <= operations; id += 1)
          socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }));
      }),
    );
  }

  /** Begins to upload a file, and sends only its first byte. @returns the status of the answer, once there is one. */
  slowUpload(url: string, content: Uint8Array): () => number | null {
    const headers = { 'content-length': content.length };
    let status: number | null = null;
    const upload = request(url, { method: 'PUT', headers, agent: false }, (response) => {
      response.resume();
      status = response.statusCode ?? 0;
    });
    upload.on('error', () => {});
    this.#open.push(upload);
    upload.write(content.subarray(0, 1));
    return () => status;
  }

  #headOf(bytes: number, authorization: string | null): string {
    const signIn = authorization ? `Authorization: ${authorization}\r\n` : '';
    return `POST /graphql HTTP/1.1\r\nHost: x\r\n${signIn}Content-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`;
  }

  async #connect(): Promise<Socket> {
    const { hostname, port } = new URL(this.#url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    this.#open.push(socket);
    await once(socket, 'connect');
    return socket;
  }
}
