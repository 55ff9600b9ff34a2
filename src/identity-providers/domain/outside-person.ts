import { displayNameFault } from '../../authorization/domain/names.ts';
import type { GroupRule, UsernameClaim } from './provider-settings.ts';

/** A person, as an identity provider vouches for her. */
export interface OutsidePerson {
  /** Never changes, and is never given to another person. Only this identifies her. */
  readonly subject: string;
  /** The user name for a new user; null if the provider gives none that counts. */
  readonly username: string | null;
  /** Her name for people; null if there is none. */
  readonly name: string | null;
  /** What her account at the provider is called, for her to recognise. */
  readonly label: string;
  /** The values of the groups claim. */
  readonly groups: readonly string[];
  /** How she has signed in there. Source: RFC 8176. */
  readonly amr: readonly string[] | null;
}

type Claims = Readonly<Record<string, unknown>>;

const MAX_SUBJECT = 255;
const MAX_VALUES = 1000;
const MAX_AMR = 10;

/**
 * What the claims say. An address that the provider has not verified is no user name: people could enter the address of
 * somebody else there.
 *
 * @returns null if the subject is not one that we can store.
 */
export function outsidePerson(
  claims: Claims,
  {
    usernameClaim,
    groupsClaim,
  }: { readonly usernameClaim: UsernameClaim; readonly groupsClaim: string | null },
): OutsidePerson | null {
  const subject = textOf(claims['sub']);
  if (subject === null || subject.length > MAX_SUBJECT || subject.includes('\u0000')) return null;
  const email = claims['email_verified'] === true ? textOf(claims['email']) : null;
  const username = usernameClaim === 'email' ? email : textOf(claims[usernameClaim]);
  const name = textOf(claims['name']);
  const amr = textsOf(claims['amr']).slice(0, MAX_AMR);
  return {
    subject,
    username,
    name: name !== null && displayNameFault(name) === null ? name : null,
    label: (email ?? textOf(claims['preferred_username']) ?? name ?? subject).slice(0, MAX_SUBJECT),
    groups: groupsClaim === null ? [] : textsOf(claims[groupsClaim]).slice(0, MAX_VALUES),
    amr: amr.length > 0 ? amr : null,
  };
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value : null;

/** One text counts as a list with it: some providers send it so. */
function textsOf(value: unknown): string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one): one is string => typeof one === 'string');
}

/** The groups of the rules, and whether the person belongs to each. */
export function membershipsOf(
  rules: readonly GroupRule[],
  groups: readonly string[],
): ReadonlyMap<string, boolean> {
  const memberships = new Map<string, boolean>();
  for (const { value, groupId } of rules)
    memberships.set(groupId, memberships.get(groupId) === true || groups.includes(value));
  return memberships;
}
