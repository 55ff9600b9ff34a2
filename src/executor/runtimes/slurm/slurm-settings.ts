import { accessSync, constants, statSync } from 'node:fs';
import { ConfigurationError } from '../../../platform/config/environment.ts';
import { readTokenFile, type SlurmAddress, SlurmError } from './slurm-client.ts';

interface Given {
  readonly url: string | undefined;
  readonly user: string | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly sharedDir: string | undefined;
}

/** @throws ConfigurationError that names what is missing or cannot work, all at once. */
export function requireSlurmSettings(given: Given): { address: SlurmAddress; sharedDir: string } {
  const { url, user, token, tokenFile, sharedDir } = given;
  const faults: string[] = [];
  const required = (name: string, value: string | undefined, what: string): string => {
    if (value === undefined) faults.push(`${name} is required for the runtime slurm: ${what}.`);
    return value ?? '';
  };
  const address = {
    url: required('SLURM_URL', url, 'the address of slurmrestd, such as http://slurm.example.com:6820'),
    user: required('SLURM_USER', user, 'the user of Slurm who runs the jobs'),
  };
  const folder = required('SLURM_SHARED_DIR', sharedDir, 'a folder that all nodes see under the same path');
  if (token === undefined && tokenFile === undefined)
    faults.push(
      'SLURM_TOKEN_FILE is required for the runtime slurm: a file with the output of `scontrol token`. It is read again when it changes. SLURM_TOKEN takes the token itself.',
    );
  if (token !== undefined && tokenFile !== undefined)
    faults.push('SLURM_TOKEN and SLURM_TOKEN_FILE cannot be set together.');
  faults.push(...folderFaults(folder), ...(tokenFile === undefined ? [] : tokenFaults(tokenFile)));
  if (faults.length > 0) throw new ConfigurationError(faults.join('\n'));
  const credential =
    tokenFile === undefined ? { text: (token ?? '').replace(/^SLURM_JWT=/, '') } : { file: tokenFile };
  return { address: { ...address, token: credential }, sharedDir: folder };
}

function folderFaults(folder: string): string[] {
  if (folder === '') return [];
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory() ? [] : [`SLURM_SHARED_DIR: ${folder} is not a folder.`];
  } catch {
    return [`SLURM_SHARED_DIR: the executor cannot write to ${folder}.`];
  }
}

function tokenFaults(file: string): string[] {
  try {
    readTokenFile(file);
    return [];
  } catch (error) {
    const isOurs = error instanceof SlurmError;
    return [`SLURM_TOKEN_FILE: ${isOurs ? error.message : `cannot read ${file}`}.`];
  }
}
