/**
 * Users that several people share. However they sign in, they may change about themselves only what the table of
 * permissions opens to shared sign-ins.
 */
type SharedIdentity =
  /**
   * The guest of fixed users mode. Its name and password are public. With them, a caller can only get a token
   * (`login`).
   */
  | 'GUEST'
  /** The user as whom requests without credentials act. */
  | 'ANONYMOUS';

const userIds = new Map<SharedIdentity, string | null>();

/** Must be called by the code that finds this user: the start with fixed users, and the anonymous sign-in. */
export function setSharedIdentity(identity: SharedIdentity, userId: string | null): void {
  userIds.set(identity, userId);
}

export function isGuestAccount(userId: string): boolean {
  return userIds.get('GUEST') === userId;
}

export function isSharedIdentity(userId: string): boolean {
  return [...userIds.values()].includes(userId);
}
