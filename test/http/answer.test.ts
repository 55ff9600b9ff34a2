/** Refusals as HTTP: the status of each code, and what the headers say. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { answerFailure, refusal } from '../../src/http/answer.ts';
import {
  type ErrorCode,
  NotFoundError,
  ResourceExhaustedError,
  UnauthenticatedError,
  UnavailableError,
} from '../../src/platform/errors.ts';
import { TooManyAttemptsError } from '../../src/sign-in/attempts.ts';

/** The status and the own headers of the answer to an error. */
function answerTo(error: unknown): [status: number, headers: Record<string, unknown>] {
  let answer: [number, Record<string, unknown>] | null = null;
  const response = {
    headersSent: false,
    writeHead(status: number, headers: Record<string, unknown>) {
      const { 'content-type': _type, 'content-length': _length, 'cache-control': _cache, ...own } = headers;
      answer = [status, own];
    },
    end() {},
  };
  answerFailure(response as unknown as ServerResponse, error);
  if (!answer) throw new Error('no answer');
  return answer;
}

describe('a refusal', () => {
  it.each<[code: ErrorCode, status: number]>([
    ['INVALID_ARGUMENT', 400],
    ['FAILED_PRECONDITION', 400],
    ['UNAUTHENTICATED', 401],
    ['PERMISSION_DENIED', 403],
    ['NOT_FOUND', 404],
    ['ALREADY_EXISTS', 409],
    ['ABORTED', 409],
    ['RESOURCE_EXHAUSTED', 429],
    ['INTERNAL', 500],
    ['UNIMPLEMENTED', 501],
    ['UNAVAILABLE', 503],
    ['DEADLINE_EXCEEDED', 504],
  ])('with the code %s has the status %i', (code, status) => {
    expect(answerTo(refusal(code, 'no'))).toEqual([status, {}]);
  });

  it('can have a status and headers of its own', () => {
    const headers = { 'retry-after': '9' };
    expect(answerTo(refusal('UNAVAILABLE', 'no', { status: 418, headers }))).toEqual([418, headers]);
  });

  it.each<[error: Error, status: number, retryAfter: string | undefined]>([
    [new UnavailableError(), 503, '1'],
    [new ResourceExhaustedError('too many'), 429, '1'],
    [new TooManyAttemptsError(30), 429, '30'],
    [new NotFoundError('project', 'x'), 404, undefined],
    [new Error('a fault of ours'), 500, undefined],
  ])('says when to try again, if that can help: %s', (error, status, retryAfter) => {
    const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    expect(answerTo(error)).toEqual([status, headers]);
  });

  it('says how to sign in', () => {
    expect(answerTo(new UnauthenticatedError())).toEqual([
      401,
      { 'www-authenticate': expect.arrayContaining([expect.stringMatching(/^Bearer/)]) },
    ]);
  });
});
