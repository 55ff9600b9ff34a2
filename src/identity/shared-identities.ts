/**
 * The users that several people sign in as. Such a user may do for itself only what the table of permissions opens to
 * shared identities, however somebody has signed in as it.
 */
type SharedIdentity =
  /** The guest of fixed users mode. Its name and password are public: with them it may only take a token (`login`). */
  | 'GUEST'
  /** The user that requests without credentials act as. */
  | 'ANONYMOUS';

const userIds = new Map<SharedIdentity, string | null>();

/** To be told by what finds the user: the start with fixed users, and the anonymous sign-in. */
export function setSharedIdentity(identity: SharedIdentity, userId: string | null): void {
  userIds.set(identity, userId);
}

export function isGuestAccount(userId: string): boolean {
  return userIds.get('GUEST') === userId;
}

export function isSharedIdentity(userId: string): boolean {
  return [...userIds.values()].includes(userId);
}
