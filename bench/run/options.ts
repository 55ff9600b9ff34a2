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
}

export const serverNames = ['slipway', 'limit', 'mercurius', 'apollo', 'postgraphile'] as const;
export const workloadNames = ['V0', 'Q1', 'Q2', 'Q3', 'Q4', 'M1', 'jobs'] as const;

/** @throws Error for an option that does not exist or has no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scale: { type: 'string', default: '1' },
      short: { type: 'boolean', default: false },
      servers: { type: 'string' },
      workloads: { type: 'string' },
      connections: { type: 'string', default: '32' },
      windows: { type: 'string', default: '3' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      out: { type: 'string', default: 'bench/results' },
    },
  });
  const { short } = values;
  return {
    short,
    scale: positive('scale', short ? '0.1' : values.scale),
    servers: names('servers', serverNames, values.servers ?? (short ? 'slipway,limit' : undefined)),
    workloads: names('workloads', workloadNames, values.workloads),
    connections: positive('connections', values.connections),
    windows: positive('windows', values.windows),
    windowSeconds: positive('seconds', values.seconds ?? (short ? '2' : '3')),
    warmUpSeconds: positive('warm-up', values['warm-up'] ?? (short ? '4' : '8')),
    out: values.out,
  };
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0`);
  return number;
}

function names(option: string, known: readonly string[], given: string | undefined): readonly string[] {
  if (given === undefined) return known;
  const wanted = given.split(',');
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--${option} must be a list of these: ${known.join(', ')}`);
  return known.filter((name) => wanted.includes(name));
}
