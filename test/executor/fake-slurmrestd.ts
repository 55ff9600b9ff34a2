/** A slurmrestd that the test controls. Its jobs run nothing; the test writes what a job would write. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface FakeJob {
  job_id: number;
  name: string;
  job_state: string;
  state_reason: string;
  state_description: string;
  restart_cnt: number;
  user_name: string;
  current_working_directory: string;
  nodes: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly user: string;
  readonly token: string;
  readonly body: string;
}

type Reply = { status: number; body: string } | 'drop' | null;

export class FakeSlurmrestd {
  readonly calls: Call[] = [];
  readonly jobs = new Map<number, FakeJob>();
  /** The versions that it offers; null has no description of the API. */
  versions: number[] | null = [38];
  /** Answers a call in place of the ordinary answer; null does not. `drop` ends the connection after the work. */
  intercept: (call: Call) => Reply = () => null;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @param socket  the path of a unix socket; a port of this machine if it is not given. @returns the address. */
  async listen(socket?: string): Promise<string> {
    await new Promise<void>((resolve) =>
      socket ? this.#server.listen(socket, resolve) : this.#server.listen(0, '127.0.0.1', resolve),
    );
    return socket ? `unix:${socket}` : `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The calls to a path that ends so. */
  to(method: string, end: string): Call[] {
    return this.calls.filter((call) => call.method === method && call.path.endsWith(end));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const call = {
      method: request.method ?? '',
      path: request.url ?? '',
      user: String(request.headers['x-slurm-user-name']),
      token: String(request.headers['x-slurm-user-token']),
      body: Buffer.concat(pieces).toString(),
    };
    this.calls.push(call);
    const reply = this.intercept(call);
    const { status, body } = reply === null || reply === 'drop' ? this.#ordinary(call) : reply;
    if (reply === 'drop') return void response.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }

  #ordinary({ method, path, user, body }: Call): { status: number; body: string } {
    const ok = (answer: object) => ({ status: 200, body: JSON.stringify({ errors: [], ...answer }) });
    const unknown = {
      status: 500,
      body: JSON.stringify({ errors: [{ error_number: 2017, description: 'no job' }] }),
    };
    if (path.startsWith('/openapi') && this.versions)
      return ok({ paths: Object.fromEntries(this.versions.map((v) => [`/slurm/v0.0.${v}/job/submit`, {}])) });
    const [, version, rest = ''] = /^\/slurm\/v0\.0\.(\d+)(\/.*)$/.exec(path) ?? [];
    if (!this.versions?.includes(Number(version))) return { status: 404, body: 'Unable find requested URL.' };
    if (rest === '/ping') return ok({ pings: [] });
    if (rest === '/nodes')
      return ok({ nodes: [{ name: 'n1', cpus: 4, real_memory: 10, state: 'idle', partitions: ['main'] }] });
    if (rest === '/jobs') return ok({ jobs: [...this.jobs.values()] });
    if (rest === '/job/submit') {
      const job_id = this.jobs.size + 1;
      const { name, current_working_directory } = JSON.parse(body).job;
      this.jobs.set(job_id, {
        ...{ job_id, name, job_state: 'PENDING', state_reason: 'Priority', state_description: '' },
        ...{ restart_cnt: 0, user_name: user, current_working_directory, nodes: '' },
      });
      return ok({ job_id });
    }
    const job = this.jobs.get(Number(/^\/job\/(\d+)/.exec(rest)?.[1]));
    if (!job) return unknown;
    const isActive = ['PENDING', 'RUNNING'].includes(job.job_state);
    if (method === 'DELETE' && !isActive)
      return { status: 500, body: JSON.stringify({ errors: [{ error_number: 2021, description: 'done' }] }) };
    if (method === 'DELETE' && !rest.includes('?')) job.job_state = 'CANCELLED';
    return ok({ jobs: [job] });
  }
}
