import type { CreationPolicy, Level, ResourceType, Role } from '../generated/prisma/enums.ts';
import { type Log, log } from './log.ts';

/** How somebody signed in to a request. */
export type SignInMethod =
  | 'PASSWORD'
  | 'ACCESS_KEY'
  | 'TOKEN'
  | 'OUTSIDE_TOKEN'
  | 'KERBEROS'
  | 'ANONYMOUS'
  | 'SYSTEM';

/** Who acts as somebody else: by a header of the request, or with a token made for that. */
export interface RealCaller {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly version: number;
  /** Whether `role` counts, instead of the role of the user whom it acts as. */
  readonly lendsRole: boolean;
}

/** Who asks. Made once a request by src/sign-in/authenticate.ts, or `systemCaller` where one of our loops acts. */
export interface Caller {
  readonly tenantId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  /** The user's version: what a token made now would carry. */
  readonly version: number;
  readonly method: SignInMethod;
  /** The access key's row, also behind a token that was made with one; null for a password. It is the real caller's. */
  readonly credentialId: string | null;
  /** The sign-in that a token belongs to: what logout ends. Null without a token. */
  readonly sessionId: string | null;
  /** When the session began, however often its token was renewed. */
  readonly signedInAt: Date | null;
  /** Until when whoever signed in from outside was vouched for: no token lives longer. */
  readonly vouchedUntil: Date | null;
  /** When the sign-in ends by itself: its token's or access key's end, whichever is first. */
  readonly expiresAt: Date | null;
  /** The token's own end, whatever becomes of its access key: until then logout must be remembered. */
  readonly sessionEndsAt: Date | null;
  /** All that the sign-in may be used for: null for no limit, and nothing where it is empty. */
  readonly scopes: readonly string[] | null;
  /** Whether several people sign in as this user: the configured guest, the anonymous user. */
  readonly isShared: boolean;
  /** The resources that the token was confined to; null for no such limit. */
  readonly confinedTo: readonly { readonly type: ResourceType; readonly id: string }[] | null;
  /** The level where no grant decides: the user's own, else the tenant's, else the server's. */
  readonly defaultLevel: Level;
  readonly defaultFrom: 'USER' | 'TENANT' | 'SERVER';
  /** Who may make experiments and models in the tenant's projects. */
  readonly creationPolicy: CreationPolicy;
  /** Groups that an outside token or ticket names, besides those that the user is a member of. */
  readonly groupIds: readonly string[];
  /** Who acts as this user, where that is somebody else. The access key and the scopes are then theirs. */
  readonly real: RealCaller | null;
  /** The IP address that the request came from. */
  readonly address: string | null;
  readonly log: Log;
}

/** The fields of a plain sign-in: no token, no access key, no limits. */
export const plain = {
  credentialId: null,
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
    log,
  };
}
