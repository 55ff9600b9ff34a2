import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SignInRequest } from '../sign-in/methods/method.ts';
import type { GraphQLServer } from './graphql.ts';
import type { RequestsUnderWay } from './requests.ts';

/** One request with its answer, and what answers it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The request as a way to sign in sees it. */
  readonly signIn: SignInRequest;
  readonly graphql: GraphQLServer;
  readonly requests: RequestsUnderWay;
}

/** Answers one request. What it throws is answered as a refusal, or as INTERNAL. */
export type Handler = (exchange: Exchange) => Promise<void>;
