/** A Kerberos of its own: two realms, their database and keys in a temporary folder, on a free port of this machine. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export const realms = ['SLIPWAY.TEST', 'OTHER.TEST'] as const;
export type Realm = (typeof realms)[number];

/** How far clocks may differ, here: short, so that a ticket that ended is soon refused. */
export const CLOCK_SKEW_SECONDS = 4;

const run = promisify(execFile);

export class Kdc {
  readonly folder: string;
  /** With the keys of `HTTP/localhost` in both realms. */
  readonly keytab: string;
  /** What programs and the library need to find this Kerberos. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #server: ChildProcess;

  private constructor(folder: string, environment: Record<string, string>, server: ChildProcess) {
    this.folder = folder;
    this.keytab = join(folder, 'http.keytab');
    this.environment = environment;
    this.#server = server;
  }

  static async start(): Promise<Kdc> {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-kdc-'));
    const port = await freePort();
    const environment = {
      PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
      KRB5_CONFIG: join(folder, 'krb5.conf'),
      KRB5_KDC_PROFILE: join(folder, 'kdc.conf'),
      KRB5RCACHEDIR: folder,
    };
    await writeFile(environment.KRB5_CONFIG, clientConfiguration(port));
    await writeFile(environment.KRB5_KDC_PROFILE, serverConfiguration(folder, port));
    for (const realm of realms)
      await run('kdb5_util', ['create', '-s', '-r', realm, '-P', 'the master password'], {
        env: environment,
      });
    const options = realms.flatMap((realm) => ['-r', realm]);
    const server = spawn('krb5kdc', ['-n', ...options], { env: environment, stdio: 'ignore' });
    const kdc = new Kdc(folder, environment, server);
    for (const realm of realms) {
      await kdc.#administer(realm, 'addprinc', '-randkey', 'HTTP/localhost');
      await kdc.#administer(realm, 'ktadd', '-k', kdc.keytab, 'HTTP/localhost');
    }
    await untilItListens(port);
    return kdc;
  }

  /** A user with this password, or a service without one, whose key nobody has. */
  async addPrincipal(name: string, password: string | null, realm: Realm = 'SLIPWAY.TEST'): Promise<void> {
    await this.#administer(
      realm,
      'addprinc',
      ...(password === null ? ['-randkey'] : ['-pw', password]),
      name,
    );
  }

  /** Signs in as a person does. @returns the file of the tickets, for KRB5CCNAME. */
  async kinit(
    name: string,
    password: string,
    { realm = 'SLIPWAY.TEST', seconds = 3600 }: { realm?: Realm; seconds?: number } = {},
  ): Promise<string> {
    const cache = `FILE:${join(this.folder, `tickets-${name.replace('/', '-')}-${realm}-${seconds}`)}`;
    const options = { env: { ...this.environment, KRB5CCNAME: cache } };
    const asked = run('kinit', ['-l', `${seconds}s`, `${name}@${realm}`], options);
    asked.child.stdin?.end(`${password}\n`);
    await asked;
    return cache;
  }

  async #administer(realm: Realm, ...command: string[]): Promise<void> {
    const { stdout, stderr } = await run('kadmin.local', ['-r', realm, ...command], {
      env: this.environment,
    });
    if (/error|while/i.test(stderr)) throw new Error(`${command.join(' ')}: ${stdout}${stderr}`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

const clientConfiguration = (port: number) => `
[libdefaults]
  default_realm = SLIPWAY.TEST
  clockskew = ${CLOCK_SKEW_SECONDS}
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
${realms.map((realm) => `  ${realm} = {\n    kdc = 127.0.0.1:${port}\n  }`).join('\n')}
`;

const serverConfiguration = (folder: string, port: number) => `
[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
${realms
  .map(
    (realm) => `  ${realm} = {
    database_name = ${folder}/${realm}.principals
    key_stash_file = ${folder}/${realm}.stash
    acl_file = ${folder}/${realm}.acl
    max_life = 1h
  }`,
  )
  .join('\n')}
`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilItListens(port: number): Promise<void> {
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(50)) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isThere) return;
  }
  throw new Error('krb5kdc does not listen');
}
