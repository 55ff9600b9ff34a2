/** Users and groups, made and changed through the API as an administrator would. */
import type { Answer, App } from './app.ts';
import { mutate } from './mutate.ts';

const userFields =
  'id username email name givenName familyName avatar role kind isAdmin isFixed defaultLevel disabledAt';

type Change = (app: App, input: object, authorization?: string | null) => Promise<Answer>;
const changing =
  (field: string, selection: string): Change =>
  (app, input, authorization) =>
    mutate(app, field, input, selection, authorization);

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

export const password = 'twelve chars';
