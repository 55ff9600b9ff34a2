/** The calls about tokens that the tests of tokens make. */
import { decodeJwt, type JWTPayload } from 'jose';
import type { Role } from '../../src/generated/prisma/enums.ts';
import type { Answer, App } from '../support/app.ts';
import { newUser, type User } from '../support/users.ts';

export const someone = (role: Role, options: object = {}): Promise<User> => newUser({ role, ...options });
export const claimsOf = (authorization: string): JWTPayload =>
  decodeJwt(authorization.slice('Bearer '.length));

/** @param appOf  the server, which exists when the first test begins. */
export function tokenCalls(appOf: () => App) {
  async function outcome(document: string, variables: object, authorization: string): Promise<Answer> {
    const { data, errors } = await appOf().ask(document, variables, authorization);
    return errors ? { refused: errors[0]?.extensions.code } : Object.values(data)[0];
  }
  return {
    outcome,
    statusOf: async (authorization: string) =>
      (await appOf().ask('{ viewer { id } }', {}, authorization)).status,
    login: (authorization: string, input: object = {}) =>
      outcome(
        `mutation ($input: LoginInput) { login(input: $input) { ... on LoginPayload { token expiresAt } ... on Error { code path } } }`,
        { input },
        authorization,
      ),
    logout: (authorization: string) =>
      outcome('mutation { logout { ... on LogoutPayload { ended } } }', {}, authorization),
    tokenFor: (authorization: string, input: object) =>
      outcome(
        `mutation ($input: CreateTokenForUserInput!) { createTokenForUser(input: $input) {
           ... on CreateTokenForUserPayload { token expiresAt } ... on Error { code message path } } }`,
        { input },
        authorization,
      ),
    validate: (authorization: string, token: string) =>
      outcome(
        `query ($token: String!) { validateToken(token: $token) { valid user { id username } tenantId expiresAt message } }`,
        { token: token.replace('Bearer ', '') },
        authorization,
      ),
  };
}
