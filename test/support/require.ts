/**
 * What some tests need beyond Node and npm. Where it is missing they are skipped, by name and with the reason; with
 * REQUIRE_ALL=1 they fail instead, so that CI never passes by leaving them out.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';

const needed = {
  chromium: () => {
    const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    return existsSync(path) ? null : `no Chromium at ${path}; install it or set CHROMIUM`;
  },
  kerberos: () => {
    const missing = ['kdb5_util', 'kadmin.local', 'krb5kdc', 'kinit', 'curl'].filter(
      (name) => !isProgram(name),
    );
    if (missing.length > 0)
      return `no ${missing.join(', ')}; install krb5-kdc, krb5-admin-server, krb5-user and curl`;
    return isPackage('kerberos')
      ? null
      : 'no package kerberos; install libkrb5-dev, then npm install --no-save --save-prod kerberos@7.0.0';
  },
  flytekit: () => {
    const path = resolve(import.meta.dirname, '../.clients/flytekit/bin/pyflyte');
    return existsSync(path) ? null : 'no flytekit; run test/fixtures/flytekit/package.sh';
  },
  hydraClient: () => {
    const path = resolve(import.meta.dirname, '../.clients/hydra/requirements.txt');
    return existsSync(path) ? null : 'no client of Hydra for Python; run test/fixtures/hydra/install.sh';
  },
  s3: () => {
    const path = resolve(import.meta.dirname, '../.clients/moto/bin/moto_server');
    return existsSync(path) ? null : 'no S3 server; run test/fixtures/s3/install.sh';
  },
  slurm: () => {
    const programs = ['munged', 'munge', 'slurmctld', 'slurmd', 'slurmrestd', 'scontrol', 'setpriv'];
    const missing = programs.filter((name) => !isProgram(name));
    if (missing.length > 0)
      return `no ${missing.join(', ')}; install munge, slurm-wlm, slurmrestd and slurm-wlm-jwt-plugin`;
    return process.getuid?.() === 0 ? null : 'only root can start a Slurm of its own';
  },
  kubernetesClient: () =>
    isPackage('@kubernetes/client-node')
      ? null
      : 'no package @kubernetes/client-node; it is an optional dependency, run npm install',
  root: () => (process.getuid?.() === 0 ? null : 'only root can start PostgreSQL as another user'),
} as const;

function isProgram(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}

function isPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

export type Need = keyof typeof needed;

/**
 * Whether `tests` can run, for `describe.runIf(needs('chromium', 'GraphiQL in a browser'))`.
 *
 * @throws Error when they cannot, with REQUIRE_ALL=1. Only for what needs root it does not throw, because an ordinary
 * user may run all checks too.
 */
export function needs(need: Need, tests: string): boolean {
  const reason = needed[need]();
  if (!reason) return true;
  const isForRoot = need === 'root' || (need === 'slurm' && process.getuid?.() !== 0);
  if (process.env['REQUIRE_ALL'] === '1' && !isForRoot) throw new Error(`${tests} cannot run: ${reason}`);
  process.stderr.write(`skipped: ${tests} (${reason})\n`);
  return false;
}
