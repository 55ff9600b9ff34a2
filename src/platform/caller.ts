import type { CreationPolicy, Level, ResourceType, Role } from '../generated/prisma/enums.ts';
import { type Log, log } from './log.ts';

/** How a caller signed in to a request. */
export type SignInMethod =
  | 'PASSWORD'
  | 'ACCESS_KEY'
  | 'TOKEN'
  | 'OUTSIDE_TOKEN'
  | 'KERBEROS'
  | 'ANONYMOUS'
  /** By a connection from the same machine: HYDRA_ADMIN_LISTEN. */
  | 'LOCAL'
  | 'SYSTEM';

/** The user who acts as another user, by a header of the request or with a token for this purpose. */
export interface RealCaller {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly version: number;
  /** True if this user's own `role` counts, false if the role of the other user counts. */
  readonly lendsRole: boolean;
}

/**
 * The user who sends a request. Created once for each request by src/sign-in/authenticate.ts, or by `systemCaller` for
 * our loops.
 */
export interface Caller {
  readonly tenantId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  /** The version of the user. A new token contains it. */
  readonly version: number;
  readonly method: SignInMethod;
  /**
   * The id of the access key, also if the caller signed in with a token that was issued with an access key; null for a
   * password. If a real caller acts as this user, it is the real caller's key.
   */
  readonly credentialId: string | null;
  /** The OAuth 2 client that the token was issued to; null for every other sign-in. */
  readonly clientId: string | null;
  /** The session of a token; `logout` ends it. Null without a token. */
  readonly sessionId: string | null;
  /** When the session began. Renewing a token does not change it. */
  readonly signedInAt: Date | null;
  /**
   * The end of the outside sign-in, if the caller signed in through an outside issuer. No token may be valid for
   * longer.
   */
  readonly vouchedUntil: Date | null;
  /** When the sign-in ends by itself: at the end of its token or of its access key, whichever comes first. */
  readonly expiresAt: Date | null;
  /** The end of the token itself, whatever happens to its access key. Until then, a logout must be remembered. */
  readonly sessionEndsAt: Date | null;
  /** The scopes of the sign-in. Null means no limit; an empty list allows nothing. */
  readonly scopes: readonly string[] | null;
  /** Whether several people sign in as this user: the configured guest, the anonymous user. */
  readonly isShared: boolean;
  /** The resources that the token is limited to; null for no such limit. */
  readonly confinedTo: readonly { readonly type: ResourceType; readonly id: string }[] | null;
  /** The level if no grant decides: of the user, or else of the tenant, or else of the server. */
  readonly defaultLevel: Level;
  readonly defaultFrom: 'USER' | 'TENANT' | 'SERVER';
  /** Who may create experiments and models in the tenant's projects. */
  readonly creationPolicy: CreationPolicy;
  /** Groups that an outside token names. They count in addition to the user's own groups. */
  readonly groupIds: readonly string[];
  /**
   * The user who acts as this user; null if nobody does. The access key and the scopes are then those of the real user.
   */
  readonly real: RealCaller | null;
  /** The IP address that the request came from. */
  readonly address: string | null;
}

/** A log whose lines name the caller. */
export function logOf({ userId, real }: Caller): Log {
  return log.child({ userId, ...(real ? { realUserId: real.userId } : {}) });
}

/** The fields of a plain sign-in: no token, no access key, no limits. */
export const plain = {
  credentialId: null,
  clientId: null,
  sessionId: null,
  signedInAt: null,
  vouchedUntil: null,
  expiresAt: null,
  sessionEndsAt: null,
  scopes: null,
  confinedTo: null,
  groupIds: [],
  real: null,
} as const;

/** Our own loops, acting for the user who asked for the work. */
export function systemCaller(tenantId: string, userId: string): Caller {
  return {
    ...plain,
    tenantId,
    userId,
    username: 'slipway',
    role: 'SYSTEM',
    version: 0,
    method: 'SYSTEM',
    isShared: false,
    defaultLevel: 'NO_PERMISSIONS',
    defaultFrom: 'SERVER',
    creationPolicy: 'RESTRICTED',
    address: null,
  };
}
