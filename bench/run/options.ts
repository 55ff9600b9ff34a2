import { parseArgs } from 'node:util';

/** How much data there is, and how long and at which servers the bench looks. */
export interface Options {
  /** How much history there is: 1 is 20,000 executions. */
  readonly scale: number;
  /** The form for continuous integration: little data, no peers, and gates in place of goals. */
  readonly short: boolean;
  readonly servers: readonly string[];
  readonly workloads: readonly string[];
  readonly connections: number;
  readonly windows: number;
  readonly windowSeconds: number;
  readonly warmUpSeconds: number;
  /** Where the table, the chart and the raw numbers are written. */
  readonly out: string;
  /** The raw numbers of a run with a tenth of the data, to compare with; null without. */
  readonly smaller: string | null;
}

export const serverNames = ['slipway', 'limit', 'mercurius', 'apollo', 'postgraphile'] as const;
const compared = ['V0', 'Q1', 'Q2', 'Q3', 'Q4', 'M1'] as const;
export const workloadNames = [...compared, 'pages', 'oauth', 'jobs'] as const;

/** @throws Error for an option that does not exist or has no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scale: { type: 'string' },
      short: { type: 'boolean', default: false },
      servers: { type: 'string' },
      workloads: { type: 'string' },
      connections: { type: 'string' },
      windows: { type: 'string', default: '3' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      out: { type: 'string', default: 'bench/results' },
      smaller: { type: 'string' },
    },
  });
  const { short } = values;
  const usual = short ? compared : workloadNames;
  return {
    short,
    scale: positive('scale', values.scale ?? (short ? '0.1' : '1')),
    servers: names('servers', serverNames, values.servers) ?? (short ? ['slipway', 'limit'] : serverNames),
    workloads: names('workloads', workloadNames, values.workloads) ?? usual,
    // With few connections, also a busy machine soon has as many answers.
    connections: positive('connections', values.connections ?? (short ? '8' : '32')),
    windows: positive('windows', values.windows),
    windowSeconds: positive('seconds', values.seconds ?? (short ? '1' : '3')),
    warmUpSeconds: positive('warm-up', values['warm-up'] ?? (short ? '2' : '3')),
    out: values.out,
    smaller: values.smaller ?? null,
  };
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0`);
  return number;
}

/** Those that were asked for, in our order. */
function names(option: string, known: readonly string[], given?: string): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const wanted = given.split(',');
  if (wanted.some((name) => !known.includes(name)))
    throw new Error(`--${option} must be a list of these: ${known.join(', ')}`);
  return known.filter((name) => wanted.includes(name));
}
