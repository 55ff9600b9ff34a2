/**
 * A Slurm of its own with two nodes on this machine: munged, slurmctld, two slurmd, slurmrestd, their keys, spools and
 * logs in a temporary folder, on free ports of this machine. It needs root, because slurmd starts jobs as other users.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './waiting.ts';

const run = promisify(execFile);
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;
const NOBODY = '65534';
export const nodeNames = ['n1', 'n2'] as const;

type DaemonName = 'munged' | 'slurmctld' | 'slurmrestd' | (typeof nodeNames)[number];

export class Slurm {
  readonly folder: string;
  /** Where runs have their directories: the nodes are this machine. */
  readonly shared: string;
  readonly url: string;
  readonly tokenFile: string;
  readonly #ports: readonly number[];
  readonly #daemons = new Map<DaemonName, ChildProcess>();

  private constructor(folder: string, ports: readonly number[]) {
    this.folder = folder;
    this.shared = join(folder, 'shared');
    this.#ports = ports;
    this.url = `http://127.0.0.1:${ports[3]}`;
    this.tokenFile = join(folder, 'token');
  }

  /** @param settings  further lines of slurm.conf. */
  static async start(settings: readonly string[] = []): Promise<Slurm> {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-slurm-'));
    // slurmrestd runs as another user and must read the configuration.
    chmodSync(folder, 0o755);
    const slurm = new Slurm(folder, await freePorts(4));
    for (const name of ['munge', 'state', 'shared', 'spool-n1', 'spool-n2'])
      mkdirSync(join(folder, name), { mode: 0o700 });
    writeFileSync(join(folder, 'munge/munge.key'), randomBytes(1024), { mode: 0o400 });
    writeFileSync(join(folder, 'state/jwt.key'), randomBytes(32), { mode: 0o600 });
    writeFileSync(join(folder, 'slurm.conf'), slurm.#configuration(settings));
    try {
      const munge = (name: string) => join(folder, 'munge', name);
      slurm.#launch('munged', [
        ...['--foreground', '--force', `--key-file=${munge('munge.key')}`, `--socket=${munge('socket')}`],
        ...[`--pid-file=${munge('pid')}`, `--log-file=${munge('log')}`, `--seed-file=${munge('seed')}`],
      ]);
      await eventually(
        () => slurm.#succeeds('munge', ['-n', '-S', munge('socket')]),
        (is) => is,
      );
      slurm.startController();
      for (const node of nodeNames) slurm.#launch(node, ['-D', '-N', node], 'slurmd');
      await slurm.renewToken();
      slurm.#launch('slurmrestd', [], 'setpriv', [
        ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', 'slurmrestd'],
        ...['-a', 'rest_auth/jwt', '-s', await slurm.#plugins(), `127.0.0.1:${slurm.#ports[3]}`],
      ]);
      await slurm.untilNodesIdle();
      await eventually(
        () =>
          fetch(slurm.url)
            .then(() => true)
            .catch(() => false),
        (is) => is,
      );
    } catch (error) {
      await slurm.stop();
      throw error;
    }
    return slurm;
  }

  startController(): void {
    this.#launch('slurmctld', ['-D']);
  }

  /**
   * Kills slurmctld when it has written down what its jobs do now. A slurmctld that is killed before forgets them and
   * uses their numbers again, or starts them once more.
   */
  async killController(): Promise<void> {
    const [job] = (await this.command('squeue', '-h', '-o', '%A')).split('\n').filter(Boolean);
    if (job !== undefined) {
      const mark = `written-${randomBytes(8).toString('hex')}`;
      await this.command('scontrol', 'update', `jobid=${job}`, `admincomment=${mark}`);
      await eventually(
        () => (existsSync(this.#jobState) ? readFileSync(this.#jobState, 'latin1') : ''),
        (text) => text.includes(mark),
      );
    }
    await this.#end('slurmctld', 'SIGKILL');
  }

  /** The jobs as slurmctld has written them down. Only while it is stopped. */
  writtenJobs(): Buffer {
    return readFileSync(this.#jobState);
  }

  /** Makes slurmctld start with what it had written down earlier, as after a crash. Only while it is stopped. */
  loseJobsSince(written: Buffer): void {
    writeFileSync(this.#jobState, written);
  }

  get #jobState(): string {
    return join(this.folder, 'state/job_state');
  }

  /** No node can launch the job: what slurmd wants to create is there already, as after a launch that hangs. */
  breakLaunch(job: string): void {
    for (const node of nodeNames) {
      const folder = join(this.folder, `spool-${node}`, `job${job.padStart(5, '0')}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'slurm_script'), '');
    }
  }

  /** Until Slurm has no jobs any more, except for those that have ended. */
  async untilNoJobs(): Promise<void> {
    await eventually(
      () => this.command('squeue', '-h').catch(() => 'slurmctld is away'),
      (text) => text.trim() === '',
    );
  }

  /** Ends slurmctld in order. */
  async stopController(): Promise<void> {
    await this.#end('slurmctld', 'SIGTERM');
  }

  async #end(name: DaemonName, signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemons.get(name);
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill(signal);
    await ended;
  }

  /** Writes a new token to `tokenFile`. */
  async renewToken(lifespan = 100_000): Promise<string> {
    const token = await eventually(
      () => this.command('scontrol', 'token', `lifespan=${lifespan}`).catch(() => ''),
      (text) => text.startsWith('SLURM_JWT='),
    );
    writeFileSync(this.tokenFile, token, { mode: 0o600 });
    return token.trim().replace('SLURM_JWT=', '');
  }

  /** The output of one of Slurm's commands. */
  async command(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(program, args, { env: this.#environment() });
    return stdout;
  }

  async untilNodesIdle(): Promise<void> {
    await eventually(
      () => this.command('sinfo', '-h', '-N', '-o', '%N %T').catch(() => ''),
      (text) => nodeNames.every((node) => text.includes(`${node} idle`)),
    );
  }

  /** What all daemons have said, for the message of a test that fails. */
  said(): string {
    return [...this.#daemons.keys()].map((name) => readFileSync(this.#logOf(name), 'utf8')).join('\n');
  }

  async stop(): Promise<void> {
    await this.command('scancel', '--user=root').catch(() => {});
    await eventually(
      () => this.command('squeue', '-h').catch(() => ''),
      (text) => text.trim() === '',
    ).catch(() => {});
    for (const name of [...this.#daemons.keys()].reverse()) await this.#end(name, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #launch(name: DaemonName, args: readonly string[], program: string = name, others = args): void {
    const env = { ...this.#environment(), ...(name === 'slurmrestd' ? { SLURM_JWT: 'daemon' } : {}) };
    // A daemon that crashes leaves its core where it was started.
    const daemon = spawn(program, [...others], {
      env,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(this.#logOf(name), { flags: 'a' });
    for (const stream of [daemon.stdout, daemon.stderr]) stream?.pipe(log, { end: false });
    this.#daemons.set(name, daemon);
  }

  #logOf(name: DaemonName): string {
    return join(this.folder, `${name}.said`);
  }

  #environment(): NodeJS.ProcessEnv {
    return { PATH, SLURM_CONF: join(this.folder, 'slurm.conf') };
  }

  /** Those of slurmrestd that need no database of accounts. */
  async #plugins(): Promise<string> {
    const settings = await this.command('scontrol', 'show', 'config');
    const folder = /^PluginDir\s*= (\S+)$/m.exec(settings)?.[1] ?? '';
    const names = readdirSync(folder).map((file) => /^openapi_(v0_0_\d+|slurmctld)\.so$/.exec(file)?.[1]);
    return names
      .filter((name) => name !== undefined)
      .map((name) => `openapi/${name.replaceAll('_', '.')}`)
      .join();
  }

  async #succeeds(program: string, args: readonly string[]): Promise<boolean> {
    return await run(program, args, { env: this.#environment() }).then(
      () => true,
      () => false,
    );
  }

  #configuration(settings: readonly string[]): string {
    const { folder } = this;
    const host = hostname().split('.')[0];
    const [controller, first, second] = this.#ports;
    const node = (name: string, port = 0) =>
      `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port} CPUs=8 RealMemory=8000 State=UNKNOWN`;
    return `${[
      'ClusterName=slipway',
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${controller}`,
      'SlurmUser=root',
      'AuthType=auth/munge',
      `AuthInfo=socket=${folder}/munge/socket`,
      'AuthAltTypes=auth/jwt',
      `AuthAltParameters=jwt_key=${folder}/state/jwt.key`,
      `StateSaveLocation=${folder}/state`,
      `SlurmdSpoolDir=${folder}/spool-%n`,
      `SlurmctldPidFile=${folder}/slurmctld.pid`,
      `SlurmdPidFile=${folder}/slurmd-%n.pid`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core_Memory',
      'JobAcctGatherType=jobacct_gather/none',
      'AccountingStorageType=accounting_storage/none',
      'MpiDefault=none',
      'SwitchType=switch/none',
      'ReturnToService=2',
      // The nodes say that they have more than this machine.
      'SlurmdParameters=config_overrides',
      'SchedulerParameters=sched_min_interval=100000,sched_interval=2',
      'KillWait=3',
      'SlurmctldTimeout=60',
      ...settings,
      node('n1', first),
      node('n2', second),
      'PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP',
    ].join('\n')}\n`;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
