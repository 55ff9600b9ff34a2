import type { TypedDocumentString } from '../generated/cli/graphql.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { CliError } from './cli-error.ts';
import type { Connection } from './settings.ts';

/** Sends one operation. @throws CliError with the code of the server, or UNAVAILABLE and DEADLINE_EXCEEDED. */
export type Ask = <R, V>(document: TypedDocumentString<R, V>, variables: V) => Promise<R>;

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: ErrorCode };
  }[];
}

const statusCodes: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'RESOURCE_EXHAUSTED',
  429: 'RESOURCE_EXHAUSTED',
};

export function createClient({ url, authorization, timeoutSeconds }: Connection): Ask {
  const endpoint = `${url.replace(/\/+$/, '')}/graphql`;
  return async (document, variables) => {
    const response = await post(
      endpoint,
      authorization,
      { query: String(document), variables },
      timeoutSeconds,
    );
    const answer = (await response.json().catch(() => ({}))) as Answer;
    const [error] = answer.errors ?? [];
    const code = error?.extensions?.code ?? statusCodes[response.status];
    if (error || !answer.data)
      throw new CliError(
        code ?? (response.status >= 500 ? 'UNAVAILABLE' : 'INTERNAL'),
        error?.message ?? `${url} answered HTTP ${response.status}`,
        code === 'UNAUTHENTICATED' ? { hint: signInHint } : {},
      );
    return answer.data as never;
  };
}

const signInHint =
  'sign in with slipway login, or set SLIPWAY_ACCESS_KEY and SLIPWAY_SECRET_KEY, or SLIPWAY_TOKEN';

async function post(
  endpoint: string,
  authorization: string | null,
  body: object,
  timeoutSeconds: number,
): Promise<Response> {
  try {
    return await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(authorization && { authorization }),
      },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    });
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    throw isLate
      ? new CliError('DEADLINE_EXCEEDED', `${endpoint} did not answer in ${timeoutSeconds} s`, { cause })
      : new CliError('UNAVAILABLE', `${endpoint} does not answer`, {
          cause,
          hint: 'is the server running, and is the address right? Give another one with --url',
        });
  }
}
