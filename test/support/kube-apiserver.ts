/**
 * A real API server of Kubernetes with an etcd, in a temporary folder and on free ports of this machine.
 * `test/fixtures/kubernetes/build.sh` builds it. There is nothing else of Kubernetes: a played kubelet runs the pods.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './waiting.ts';

export class KubeApiServer {
  readonly token = 'secret-token';
  readonly url: string;
  /** For kubelets, which a real API server asks over TLS only. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly #folder: string;
  readonly #daemons: ChildProcess[] = [];

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.url = `https://127.0.0.1:${port}`;
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '2'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      {
        stdio: 'ignore',
      },
    );
    this.tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  }

  /** @param program  the path of kube-apiserver. */
  static async start(program: string, namespaces: readonly string[]): Promise<KubeApiServer> {
    const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
    const folder = mkdtempSync(join(tmpdir(), 'slipway-kubernetes-'));
    const server = new KubeApiServer(folder, port);
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    server.#run('etcd', [
      ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd],
      ...[
        '--listen-peer-urls',
        peer,
        '--initial-advertise-peer-urls',
        peer,
        '--initial-cluster',
        `default=${peer}`,
      ],
    ]);
    writeFileSync(join(folder, 'tokens.csv'), `${server.token},admin,1,"system:masters"\n`);
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    server.#run(program, [
      ...[`--etcd-servers=${etcd}`, `--secure-port=${port}`, '--bind-address=127.0.0.1'],
      ...[`--cert-dir=${join(folder, 'certs')}`, `--token-auth-file=${join(folder, 'tokens.csv')}`],
      ...[
        '--service-account-issuer=https://kubernetes.default.svc',
        '--service-cluster-ip-range=10.0.0.0/24',
      ],
      ...[`--service-account-key-file=${cert}`, `--service-account-signing-key-file=${key}`],
      ...[`--kubelet-client-certificate=${cert}`, `--kubelet-client-key=${key}`, '--authorization-mode=RBAC'],
      // The controllers that these need do not run.
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    ]);
    try {
      await eventually(
        () => server.#status('GET', '/readyz'),
        (status) => status === 200,
      );
      for (const name of namespaces)
        await server.#status('POST', '/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name },
        });
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(program: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, 'log'), 'a');
    const daemon = spawn(program, args, { stdio: ['ignore', log, log] });
    daemon.on('error', () => {});
    this.#daemons.push(daemon);
  }

  #status(method: string, path: string, body?: object): Promise<number> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    return new Promise((resolve) => {
      const asked = request(this.url + path, { method, headers, rejectUnauthorized: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on('error', () => resolve(0));
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
