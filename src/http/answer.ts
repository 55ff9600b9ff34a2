import type { ServerResponse } from 'node:http';
import type { ErrorCode } from '../platform/errors.ts';

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  if (response.headersSent) return void response.destroy();
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}

/** A refusal of a whole request, in the form of GraphQL's errors so that every client reads it. */
export function answerError(
  response: ServerResponse,
  status: number,
  code: ErrorCode,
  message: string,
  headers: Record<string, string | string[]> = {},
): void {
  answerJson(response, status, { errors: [{ message, extensions: { code } }] }, headers);
}
