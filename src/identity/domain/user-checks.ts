import { displayNameFault, nameFault } from '../../authorization/domain/names.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';

const MAX_EMAIL = 254;
const MAX_AVATAR = 2048;
const MIN_PASSWORD = 12;
const MAX_PASSWORD = 1024;
/** It counts code points, but no more than necessary. */
const passwordForm = new RegExp(`^.{${MIN_PASSWORD},${MAX_PASSWORD}}$`, 'su');

/** With this form, Basic tells an access key from a user name. */
const accessKeyForm = /^[A-Z0-9]{30}$/;
/** The form of an e-mail address in HTML, with letters and digits of all scripts. */
const emailForm =
  /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?)*$/u;

/** The given fields of a user. Null clears a field; undefined means that it is not given. */
export interface GivenUser {
  readonly username?: string | undefined;
  readonly email?: string | null | undefined;
  readonly password?: string | null | undefined;
  readonly name?: string | undefined;
  readonly givenName?: string | null | undefined;
  readonly familyName?: string | null | undefined;
  readonly avatar?: string | null | undefined;
}

/** All problems of the given fields, each with its path. */
export function userProblems(given: GivenUser): Problem[] {
  const { username, email, password, name, avatar } = given;
  const faults: [string, string | null][] = [
    ['username', username === undefined ? null : usernameFault(username)],
    ['email', email == null ? null : emailFault(email)],
    ['password', password == null ? null : passwordFault(password)],
    ['name', name === undefined ? null : personNameFault(name)],
    ['givenName', given.givenName ? displayNameFault(given.givenName) : null],
    ['familyName', given.familyName ? displayNameFault(given.familyName) : null],
    ['avatar', avatar ? avatarFault(avatar) : null],
  ];
  return faults.flatMap(([field, message]) =>
    message === null ? [] : [{ path: ['input', field], code: 'InvalidValue', message }],
  );
}

/** Null if the name is valid. */
export function usernameFault(username: string): string | null {
  const isAccessKey = accessKeyForm.test(username);
  return isAccessKey
    ? 'a user name must not be 30 capital letters and digits, because access keys look like that'
    : nameFault(username);
}

function emailFault(email: string): string | null {
  const key = nameKey(email);
  if (Math.max(email.length, key.length) > MAX_EMAIL)
    return `the e-mail address must have at most ${MAX_EMAIL} characters`;
  const [local = ''] = key.split('@');
  const hasStrayDot = local.startsWith('.') || local.endsWith('.') || local.includes('..');
  if (hasStrayDot || !emailForm.test(email) || !emailForm.test(key)) return 'this is not an e-mail address';
  return null;
}

/** The same rule wherever a password is set. 12 characters are enough. */
export function passwordFault(password: string): string | null {
  return passwordForm.test(password)
    ? null
    : `a password must have ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`;
}

function personNameFault(name: string): string | null {
  return name.trim() === '' ? 'the name must not be empty' : displayNameFault(name);
}

/** User interfaces show it as a picture, so it must not be a script. */
function avatarFault(avatar: string): string | null {
  if (avatar.length > MAX_AVATAR) return `must have at most ${MAX_AVATAR} characters`;
  const isAddress = URL.canParse(avatar) && /^https?:$/.test(new URL(avatar).protocol);
  return isAddress ? null : 'the address of a picture must begin with https:// or http://';
}

/** Problems of the combination of fields: this kind of user cannot have the given role or a password. */
export function kindProblems(user: {
  readonly kind: UserKind;
  readonly role: Role;
  readonly password?: string | null;
}): Problem[] {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  if (user.kind === 'PERSON' && user.role === 'SYSTEM')
    fault('role', 'only a service account can have the role SYSTEM');
  if (user.kind === 'SERVICE_ACCOUNT' && user.password != null)
    fault('password', 'a service account has no password, it signs in with access keys');
  return problems;
}
