import { z } from 'zod';

/**
 * The only place that reads the environment. This folder has one file for each process. The file names the variables of
 * the process and turns them into an object, once, when it is first imported. README lists all variables, and a test
 * compares the two.
 *
 * | process      | reads                                         |
 * |--------------|-----------------------------------------------|
 * | `server`     | base, control plane, server                   |
 * | `scheduler`  | base, control plane, scheduler                |
 * | `executor`   | base, executor                                |
 * | `npm start`  | all of them, because it starts all the others |
 */

/** Stops a process while it starts. The message is for the operator. */
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
  // The message leaves the value out, because it may be a secret.
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`);
  throw new ConfigurationError(faults.join('\n'));
}

/** Our own environment with these changes, for a child process. Undefined removes a variable. */
export function environmentWith(changes: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

/** For a native library that reads a setting only from the environment. */
export function setVariable(name: string, value: string): void {
  process.env[name] = value;
}

/** The kinds of values. Each message continues a sentence that begins with the name of the variable. */

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

/** A comma-separated list. */
export const list = z.string().transform((parts) =>
  parts
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

/** A comma-separated list of names with values: `a=1,b=2`. */
export const pairs = (name: RegExp, value: RegExp, example: string) =>
  list.refine(
    (parts) => parts.every((part) => new RegExp(`^(${name.source})=(${value.source})$`).test(part)),
    `must be a list such as ${example}`,
  );

/** The pairs of such a list, in their order. */
export const entriesOf = (parts: readonly string[]): (readonly [string, string])[] =>
  parts.map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at), part.slice(at + 1)] as const;
  });

export const url = (protocol: RegExp, example: string) =>
  z.url({ protocol, error: `must be a URL such as ${example}` });

export const httpUrl = (example: string) => url(/^https?$/, example);
