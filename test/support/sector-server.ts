/** Where the owners of sectors publish the redirect URIs of their clients. */
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './self-signed.ts';

export class SectorServer {
  /** The paths that were asked for. */
  readonly asked: string[] = [];
  readonly #answers = new Map<string, (response: ServerResponse) => void>();
  readonly #server = createServer(selfSigned(), ({ url = '' }, response) => {
    this.asked.push(url);
    const answer = this.#answers.get(url);
    if (answer) answer(response);
    else response.writeHead(404).end();
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, resolve));
    return this;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** An address on this server, at which each path is published once. */
  uri(path: string, host = '127.0.0.1'): string {
    return `https://${host}:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** From now on, the path is answered like this. @returns its address. */
  publish(path: string, answer: unknown, host?: string): string {
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    return this.answer(path, (response) => response.end(text), host);
  }

  answer(path: string, answer: (response: ServerResponse) => void, host?: string): string {
    this.#answers.set(path, answer);
    return this.uri(path, host);
  }
}
