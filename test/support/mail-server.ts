/** A mail server that keeps what it gets: as much of SMTP as a client needs (RFC 5321). */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
}

export interface MailServer {
  readonly url: string;
  readonly mails: readonly Mail[];
  /** The answer to the end of each mail from now on; null accepts it. */
  refuseWith(answer: string | null): void;
  stop(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const mails: Mail[] = [];
  let refusal: string | null = null;
  const server = createServer((socket) => serve(socket, mails, () => refusal));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuseWith(answer) {
      refusal = answer;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function serve(socket: Socket, mails: Mail[], refusal: () => string | null): void {
  let from = '';
  let to: string[] = [];
  let data: string[] | null = null;
  let rest = '';
  const say = (line: string) => socket.write(`${line}\r\n`);
  const pathIn = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? '';

  function take(line: string): void {
    if (data) {
      if (line !== '.') {
        data.push(line.replace(/^\./, ''));
        return;
      }
      const answer = refusal();
      if (answer === null) mails.push({ from, to, content: data.join('\n') });
      data = null;
      say(answer ?? '250 taken');
      return;
    }
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'MAIL') from = pathIn(line);
    if (verb === 'MAIL') to = [];
    if (verb === 'RCPT') to.push(pathIn(line));
    if (verb === 'DATA') data = [];
    say(verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok');
    if (verb === 'QUIT') socket.end();
  }

  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const lines = `${rest}${chunk}`.split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  say('220 test');
}
