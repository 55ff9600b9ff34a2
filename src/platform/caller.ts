import type { Level, Role } from '../generated/prisma/enums.ts';
import { type Log, log } from './log.ts';

/** Who asks. Made once a request by src/http/authenticate.ts, or `systemCaller` where one of our loops acts. */
export interface Caller {
  readonly tenantId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  /** The user's version: what a token made now would carry. */
  readonly version: number;
  /** The credential that signed in; null for a password. */
  readonly credentialId: string | null;
  /** Empty: no narrower than the role. Otherwise a ceiling. */
  readonly scopes: readonly string[];
  /** The level where no grant decides: the user's own, else the tenant's, else none. */
  readonly defaultLevel: Level;
  readonly log: Log;
}

/** Our own loops, acting for the user who asked for the work. */
export function systemCaller(tenantId: string, userId: string): Caller {
  return {
    tenantId,
    userId,
    username: 'slipway',
    role: 'SYSTEM',
    version: 0,
    credentialId: null,
    scopes: [],
    defaultLevel: 'NO_PERMISSIONS',
    log,
  };
}
