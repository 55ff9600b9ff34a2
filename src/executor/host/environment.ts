import { dirname } from 'node:path';
import { RunError } from './run-error.ts';
import type { RunSpec } from './run-spec.ts';

/** The variable by which we recognise the processes of a run, even after they have left its process group. */
export const RUN_ID_VARIABLE = 'SLIPWAY_RUN_ID';

/** The folder of our own Node comes first, so that the command `node` is the version that Slipway runs on. */
export const DEFAULT_PATH = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;

/** The rule of Kubernetes for the names of a container's variables. */
const NAME = /^[A-Za-z_.-][A-Za-z0-9_.-]*$/;
/** Ours, and the names of Armada for the same values. The server leaves those out that the container sets. */
const OWN_NAME = /^(SLIPWAY|ARMADA)_[A-Z0-9_]+$/;

/**
 * The complete environment of a command. It contains nothing of the executor's own environment. The variables of the
 * container replace the basic ones, and the variables of Slipway replace both. If a name is given twice, the last one
 * counts, as in Kubernetes.
 *
 * @throws RunError `InvalidEnvironment` that names the variable.
 */
export function buildEnvironment(
  spec: Pick<RunSpec, 'runId' | 'jobId' | 'container' | 'environment'>,
  places: {
    /** Null if the image of the command has its own. */
    path: string | null;
    home: string;
    temporary: string;
    inputs: string;
    outputs: string;
  },
): Record<string, string> {
  const container = spec.container.env.map(({ key, value }) => [key, value] as const);
  for (const [name, value] of container) {
    if (!NAME.test(name))
      throw invalid('USER', `${JSON.stringify(name)} is not a valid name of an environment variable`);
    if (value.includes('\0'))
      throw invalid('USER', `the value of the environment variable ${name} contains a NUL character`);
  }
  const own = Object.entries(spec.environment);
  for (const [name, value] of own) {
    if (!OWN_NAME.test(name) || value.includes('\0')) {
      throw invalid('SYSTEM', `a task cannot set the environment variable ${JSON.stringify(name)}`);
    }
  }
  return Object.fromEntries([
    ...(places.path === null ? [] : [['PATH', places.path] as const]),
    ['HOME', places.home],
    ['TMPDIR', places.temporary],
    ['LANG', 'C.UTF-8'],
    ...container,
    ...own,
    ['SLIPWAY_INPUTS', places.inputs],
    ['SLIPWAY_OUTPUTS', places.outputs],
    ['SLIPWAY_JOB_ID', spec.jobId],
    [RUN_ID_VARIABLE, spec.runId],
  ]);
}

function invalid(kind: 'USER' | 'SYSTEM', message: string): RunError {
  return new RunError(kind, 'InvalidEnvironment', message);
}
