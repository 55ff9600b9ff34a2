/** Calls of Hydra's clients, as they go over the wire. */
import type { Answer, App } from '../../support/app.ts';

export interface HydraAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; null if there is none. */
  readonly body: Answer;
}

export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<HydraAnswer>;

/** Calls as one caller; null is a stranger. A body that is URLSearchParams is sent as a form. */
export function callsTo(app: Pick<App, 'url'>, authorization: string | null): Call {
  return async (method, path, body, headers = {}) => {
    const isForm = body instanceof URLSearchParams;
    const response = await fetch(`${app.url}${path}`, {
      method,
      headers: {
        ...(authorization ? { authorization } : {}),
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: isForm || typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  };
}
