import { z } from 'zod';

/**
 * The one place that touches the environment. Beside it lies one file for each process: it names the variables that the
 * process reads and turns them into an object, once, when it is first imported. README lists every variable; a test
 * holds the two together.
 *
 * | process      | reads                                         |
 * |--------------|-----------------------------------------------|
 * | `server`     | base, control plane, server                   |
 * | `scheduler`  | base, control plane                           |
 * | `executor`   | base, executor                                |
 * | `npm start`  | all of them, since it starts all of the above |
 */

/** Stops a process at start; its message is for the operator. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/**
 * The values of these variables. An empty variable counts as unset.
 *
 * @throws ConfigurationError that names every variable with a wrong value.
 */
export function readEnvironment<Shape extends z.ZodRawShape>(shape: Shape): z.infer<z.ZodObject<Shape>> {
  const given = Object.fromEntries(
    Object.keys(shape).map((name) => [name, process.env[name] || undefined] as const),
  );
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data;
  // Without the value, which may be a secret.
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`);
  throw new ConfigurationError(faults.join('\n'));
}

/** Our own environment with these changes, for a child process. Undefined removes a variable. */
export function environmentWith(changes: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

/** For a native library that takes a setting from the environment only. */
export function setVariable(name: string, value: string): void {
  process.env[name] = value;
}

/** The kinds of values. Their messages go on from the name of the variable. */

export const whole = (least: number, most: number) =>
  z
    .string()
    .transform((text) => (/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN))
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`);

export const choice = <const Value extends string>(...values: Value[]) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` });

export const flag = choice('on', 'off', '1', '0', 'true', 'false').transform((text) =>
  ['on', '1', 'true'].includes(text),
);

export const text = (most = 4096) => z.string().max(most, `must have at most ${most} characters`);

/** Comma-separated. */
export const list = z.string().transform((parts) =>
  parts
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

export const url = (protocol: RegExp, example: string) =>
  z.url({ protocol, error: `must be a URL such as ${example}` });

export const httpUrl = (example: string) => url(/^https?$/, example);
