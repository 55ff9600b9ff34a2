import { CliError } from '../cli-error.ts';

export interface LoadOptions {
  /** How many jobs are submitted, leased and finished. */
  readonly jobs: number;
  /** The weight of each queue. */
  readonly weights: readonly number[];
  readonly executors: number;
  /** How many jobs an executor has at the same time. */
  readonly slots: number;
  /** How many jobs one call submits. */
  readonly batch: number;
  /** How many calls submit jobs at the same time. */
  readonly submitters: number;
  /** Whether queues and jobs stay. */
  readonly keep: boolean;
  /** The database in which a bare loop of SQL is measured beside it; null for none. */
  readonly compareWith: string | null;
}

/** What the flags of the command say, as texts. */
export interface LoadFlags {
  readonly jobs: string;
  readonly queues: string;
  readonly weights: string;
  readonly executors: string;
  readonly slots: string;
  readonly batch: string;
  readonly submitters: string;
  readonly keep?: boolean;
  readonly compare?: boolean;
}

/** @throws CliError INVALID_ARGUMENT that names the flag. */
export function readLoadOptions(flags: LoadFlags, environment: NodeJS.ProcessEnv): LoadOptions {
  const queues = whole('queues', flags.queues, 1, 1000);
  const weights = flags.weights.split(',').map((weight) => whole('weights', weight, 1, 1000));
  if (weights.length > queues)
    throw new CliError('INVALID_ARGUMENT', `--weights has ${weights.length} weights for ${queues} queues`);
  const database = environment['DATABASE_URL'];
  if (flags.compare && !database)
    throw new CliError('INVALID_ARGUMENT', '--compare needs a database', {
      hint: 'set DATABASE_URL to the database of the server',
    });
  return {
    jobs: whole('jobs', flags.jobs, 1, 1_000_000),
    weights: Array.from({ length: queues }, (_, at) => weights[at % weights.length] ?? 1),
    executors: whole('executors', flags.executors, 1, 200),
    slots: whole('slots', flags.slots, 1, 100),
    batch: whole('batch', flags.batch, 1, 1000),
    submitters: whole('submitters', flags.submitters, 1, 64),
    keep: flags.keep === true,
    compareWith: flags.compare && database ? database : null,
  };
}

function whole(flag: string, text: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new CliError('INVALID_ARGUMENT', `--${flag} ${text} is not a whole number from ${least} to ${most}`);
}
