import { join } from 'node:path';
import type { Work } from '../../host/runtime.ts';
import { WRAPPER, wrap } from '../command-wrapper.ts';
import { quoted } from './slurm-job.ts';

/**
 * The script that a job of Slurm executes. Words and variables are in this file, which only the user of the job can
 * read, and not in the submission, which every operator of Slurm can read. Variables that Slurm sets, such as
 * CUDA_VISIBLE_DEVICES, stay.
 */
export function launchScript(work: Work): string {
  const { control, work: folder } = work.directory;
  const { args, environment } = wrap({ ...work, control }, 'shared');
  return [
    '# Written by Slipway.',
    `cd ${quoted(folder)} || exit 1`,
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `set -- ${args.map(quoted).join(' ')}`,
    WRAPPER,
  ].join('\n');
}

export const launcherOf = (control: string) => join(control, 'launch');
