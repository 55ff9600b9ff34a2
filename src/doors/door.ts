import type { TypedDocumentString } from '../generated/doors/graphql.ts';
import type { ErrorCode } from '../platform/errors.ts';

/**
 * A door lets clients of another system in: it takes their calls, asks our GraphQL as their caller, and answers in their
 * protocol. So every call has the permissions, limits and records of the GraphQL operation that it asks.
 */
export interface Door {
  /** What a caller of all its operations needs. */
  readonly scopes: readonly string[];
  /** The methods that the door answers at a path; empty if the path does not belong to it. */
  methodsAt(path: string): readonly string[];
  /** @throws DoorError or another error, which `refuse` then turns into the answer. */
  answer(call: DoorCall): Promise<DoorAnswer>;
  /** Says in the door's protocol why a call was refused. */
  refuse(error: DoorError): DoorAnswer;
}

/** One call of a client. */
export interface DoorCall {
  readonly method: string;
  /** The path as it was sent: its parts are still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The URL of the server as its callers see it. */
  readonly publicUrl: string;
  readonly ask: Ask;
  /** The body as JSON. @throws for another content type, and for a body that is too large or not valid. */
  json(): Promise<unknown>;
  /** The body as a form. @throws as `json` does. */
  form(): Promise<URLSearchParams>;
}

export interface DoorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; left out if the answer has no body. */
  readonly body?: unknown;
}

/** Asks our GraphQL as the caller of the call. @throws DoorError for the first error of the answer. */
export type Ask = <Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
) => Promise<Data>;

/** One fault of an input: where it is, from outside to inside, and what it is. */
export interface DoorProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** A refusal of a call, with the code of our API. */
export class DoorError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly DoorProblem[];
  /** Where to send the browser instead, if a challenge was used. */
  readonly redirectTo: string | null;
  /** After how many seconds to try again, if that helps. */
  readonly retryAfterSeconds: number | null;
  /** The HTTP status, if the request itself is at fault and not what it asks: 405, 413, 415. */
  readonly status: number | null;
  /** The methods that the path has, if the method is at fault. */
  readonly allow: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      readonly problems?: readonly DoorProblem[] | null;
      readonly redirectTo?: string | null;
      readonly retryAfterSeconds?: number | null;
      readonly status?: number | null;
      readonly allow?: readonly string[];
    } = {},
  ) {
    super(message);
    this.code = code;
    this.problems = more.problems ?? [];
    this.redirectTo = more.redirectTo ?? null;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
    this.status = more.status ?? null;
    this.allow = more.allow ?? [];
  }
}

/** An error of a result union, as documents select it. */
interface ResultError {
  readonly __typename: `${string}Error`;
  readonly code: ErrorCode;
  readonly message: string;
  readonly problems?: readonly DoorProblem[];
  readonly redirectTo?: string;
}

const isError = (result: { readonly __typename: string }): result is ResultError =>
  result.__typename.endsWith('Error');

/** The payload of a mutation. @throws DoorError if the mutation answers an error. */
export function payloadOf<Result extends { readonly __typename: string }>(
  result: Result | null | undefined,
): Exclude<Result, { readonly __typename: `${string}Error` }> {
  if (!result) throw new DoorError('INTERNAL', 'the mutation answers nothing');
  if (isError(result)) throw new DoorError(result.code, result.message, result);
  return result as Exclude<Result, { readonly __typename: `${string}Error` }>;
}

/** What a query has found. @throws DoorError NOT_FOUND */
export function foundOf<Found>(found: Found | null | undefined): Found {
  if (found === null || found === undefined) throw new DoorError('NOT_FOUND', 'there is no such object');
  return found;
}
