import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliError } from './cli-error.ts';
import { type OutputFormat, outputFormats } from './output.ts';

/** Where a server is, and how to sign in there. */
export interface Connection {
  readonly url: string;
  readonly authorization: string | null;
  readonly timeoutSeconds: number;
}

export interface Settings extends Connection {
  readonly project: string | undefined;
  readonly domain: string | undefined;
  readonly output: OutputFormat;
}

/** The flags that all commands have. */
export interface GlobalFlags {
  readonly context?: string;
  readonly url?: string;
  readonly project?: string;
  readonly domain?: string;
  readonly output?: string;
  readonly timeout?: string;
}

const contextsFile = z.strictObject({
  current: z.string().optional(),
  contexts: z
    .array(
      z.strictObject({
        name: z.string(),
        url: z.url(),
        project: z.string().optional(),
        domain: z.string().optional(),
      }),
    )
    .default([]),
});

export type ContextsFile = z.infer<typeof contextsFile>;

/** The value of each setting: from its flag, or else its variable, or else the context, or else a default. */
export function readSettings(flags: GlobalFlags, environment: NodeJS.ProcessEnv): Settings {
  const file = readContexts(environment);
  const chosen = flags.context ?? environment['SLIPWAY_CONTEXT'] ?? file.current;
  const context = file.contexts.find(({ name }) => name === chosen);
  if (chosen !== undefined && context === undefined)
    throw new CliError('INVALID_ARGUMENT', `there is no context ${chosen}`, {
      hint: `known contexts: ${file.contexts.map(({ name }) => name).join(', ') || 'none'}`,
    });
  return {
    url: flags.url ?? environment['SLIPWAY_URL'] ?? context?.url ?? 'http://localhost:4000',
    project: flags.project ?? environment['SLIPWAY_PROJECT'] ?? context?.project,
    domain: flags.domain ?? environment['SLIPWAY_DOMAIN'] ?? context?.domain,
    output: outputOf(flags.output ?? environment['SLIPWAY_OUTPUT'] ?? 'table'),
    timeoutSeconds: secondsOf(flags.timeout ?? '30s'),
    authorization: authorizationOf(environment),
  };
}

/** @throws CliError INVALID_ARGUMENT for a file that is not valid. */
export function readContexts(environment: NodeJS.ProcessEnv): ContextsFile {
  const path = contextsPath(environment);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { contexts: [] };
  }
  try {
    return contextsFile.parse(parse(text) ?? {});
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new CliError('INVALID_ARGUMENT', `${path} is not valid: ${reason}`, { cause });
  }
}

export const contextsPath = (environment: NodeJS.ProcessEnv) =>
  join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'slipway/config.yaml');

function outputOf(text: string): OutputFormat {
  const format = outputFormats.find((one) => one === text);
  if (format) return format;
  throw new CliError('INVALID_ARGUMENT', `there is no output ${text}: use ${outputFormats.join(', ')}`);
}

function secondsOf(text: string): number {
  const [, number, unit] = /^(\d{1,6})(s|m)$/.exec(text) ?? [];
  const seconds = Number(number) * (unit === 'm' ? 60 : 1);
  if (seconds > 0) return seconds;
  throw new CliError('INVALID_ARGUMENT', `--timeout ${text} is not a time such as 30s or 2m`);
}

/** Secrets that the user knows come from the environment only, so that they are in no file and in no list of processes. */
function authorizationOf(environment: NodeJS.ProcessEnv): string | null {
  const { SLIPWAY_TOKEN: token, SLIPWAY_ACCESS_KEY: accessKey, SLIPWAY_SECRET_KEY: secretKey } = environment;
  if (token) return `Bearer ${token}`;
  if (accessKey && secretKey) return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString('base64')}`;
  return null;
}
