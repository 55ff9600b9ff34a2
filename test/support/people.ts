/** Users and groups, made and changed through the API as an administrator would. */
import { expect } from 'vitest';
import type { Answer, App, GraphQLAnswer } from './app.ts';

const errorFields = '__typename ... on Error { code message path }';
const problems = '... on InvalidArgumentError { problems { path code message } }';
/** Whose input cannot be wrong in itself. */
const withoutProblems: ReadonlySet<string> = new Set(['updateUserAdmin', 'deleteUser', 'deleteGroup']);

/** The answer of the one field that was asked; where it is null, its top-level error. */
export function answerOf({ data, errors }: GraphQLAnswer): Answer {
  const [answer] = Object.values((data ?? {}) as object);
  if (answer != null) return answer;
  const [error] = errors ?? [];
  return error
    ? { code: error.extensions.code, message: error.message, path: error.path, isTopLevel: true }
    : null;
}

const userFields =
  'id username email name givenName familyName avatar role kind isAdmin isFixed defaultLevel disabledAt';

/** Sends a mutation with one `input`, with `selection` of its payload. */
async function change(
  app: App,
  field: string,
  selection: string,
  input: object,
  authorization?: string | null,
): Promise<Answer> {
  const Name = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  const errors = withoutProblems.has(field) ? errorFields : `${errorFields} ${problems}`;
  const document = `mutation ($input: ${Name}Input!) { ${field}(input: $input) { ... on ${Name}Payload { ${selection} } ${errors} } }`;
  return answerOf(await app.ask(document, { input }, authorization));
}

type Change = (app: App, input: object, authorization?: string | null) => Promise<Answer>;
const changing =
  (field: string, selection: string): Change =>
  (app, input, authorization) =>
    change(app, field, selection, input, authorization);

export const createUser = changing('createUser', `user { ${userFields} }`);
export const editUser = changing('editUser', `updated fields user { ${userFields} }`);
export const updateUserPassword = changing('updateUserPassword', 'user { id }');
export const updateUserAdmin = changing('updateUserAdmin', 'user { id role isAdmin }');
export const deleteUser = changing('deleteUser', 'user { id }');
export const updatePreferences = changing('updatePreferences', 'updated preferences');
export const createTenant = changing('createTenant', 'tenant { id name defaultLevel creationPolicy }');
export const updateTenant = changing('updateTenant', 'tenant { id name defaultLevel creationPolicy }');

const groupFields =
  'group { id name description isEveryone memberCount members { edges { node { username } } } }';
export const createGroup = changing('createGroup', groupFields);
export const updateGroup = changing('updateGroup', groupFields);
export const addGroupMembers = changing('addGroupMembers', `added ${groupFields}`);
export const removeGroupMembers = changing('removeGroupMembers', `removed ${groupFields}`);
export const deleteGroup = changing('deleteGroup', 'group { id }');

/** Who a sign-in is, or null where it is refused. */
export async function viewerOf(app: App, authorization: string): Promise<Answer> {
  const { status, data } = await app.ask(
    `{ viewer { ${userFields} preferences groups { name } tenant { id name } } }`,
    {},
    authorization,
  );
  return status === 401 ? null : data.viewer;
}

/** A user whom the administrator makes. @returns what the API shows of it. */
export async function newUser(app: App, input: object): Promise<Answer> {
  const made = await createUser(app, input);
  expect(made).toMatchObject({ __typename: 'CreateUserPayload' });
  return made.user;
}

export const password = 'twelve chars';
