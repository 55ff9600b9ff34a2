import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SignInRequest } from '../sign-in/methods/method.ts';
import type { GraphQLServer } from './graphql.ts';
import type { RequestUrl } from './request-url.ts';
import type { RequestsUnderWay } from './requests.ts';

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: RequestUrl;
  /** The request, as ways to sign in see it. */
  readonly signIn: SignInRequest;
  readonly graphql: GraphQLServer;
  readonly requests: RequestsUnderWay;
}

/** Answers one request. If it throws a refusal, this is the answer; other errors are answered as INTERNAL. */
export type Handler = (exchange: Exchange) => Promise<void>;
