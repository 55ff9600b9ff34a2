import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import { noteDenial } from '../authorization/audit.ts';
import { obstacleTo } from '../authorization/domain/permissions.ts';
import { mayActAs } from '../identity/domain/acting.ts';
import type { UserBy } from '../identity/domain/addresses.ts';
import { isSharedIdentity } from '../identity/shared-identities.ts';
import { readUsers } from '../identity/store/users.ts';
import type { Caller } from '../platform/caller.ts';
import { InvalidArgumentError, PermissionDeniedError, UnauthenticatedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { MAX_CACHED } from './max-cached.ts';
import { findPrincipal, type Principal, plainSignIn } from './principals.ts';

/**
 * Acting as another user for one request. A header names the user by id, user name or `tenant/name`:
 *
 * - `X-Slipway-Impersonate-As` takes the identity and the role of that user;
 * - `X-Slipway-Act-As` takes the identity and keeps the caller's own role.
 *
 * Only ROOT, SYSTEM and administrators may do this, only as a user whose role is not higher, and in another tenant only
 * ROOT. The audit log names both users. Source: ClearML's impersonation; its header names are accepted too.
 */
const impersonateAs = ['x-slipway-impersonate-as', 'x-clearml-impersonate-as'];
const actAs = ['x-slipway-act-as', 'x-clearml-act-as'];

export const impersonationHeaders: readonly string[] = [...impersonateAs, ...actAs];

/**
 * @throws InvalidArgumentError for more than one header; PermissionDeniedError, with the same message if the caller may
 * not act as others and if the user does not exist, is out of reach or has a higher role; UnauthenticatedError if the
 * caller is not signed in.
 */
export async function impersonated(
  caller: Caller | null,
  headers: IncomingHttpHeaders,
): Promise<Caller | null> {
  const given = impersonationHeaders.filter((name) => headers[name] !== undefined);
  const [header] = given;
  if (header === undefined) return caller;
  if (!caller) throw new UnauthenticatedError();
  if (given.length > 1)
    throw InvalidArgumentError.of(
      [],
      'a request can have only one of the headers impersonate-as and act-as, and only once',
    );
  const address = String(headers[header]).trim();
  const by = isId(address) ? { id: address } : { username: address };
  const user = await findUser(caller, by);
  if (!user) {
    const target = { type: 'user', id: isId(address) ? address : null, name: address } as const;
    noteDenial(caller, { action: 'session:impersonate', code: 'PERMISSION_DENIED', target });
    throw new PermissionDeniedError('you may not act as this user');
  }
  return actingAs(caller, user, actAs.includes(header));
}

/** Ids of users that were found within reach of a tenant, or of all tenants. A user never changes its tenant. */
const inReach = new LRUCache<string, true>({ max: MAX_CACHED });

async function findUser(caller: Caller, by: UserBy): Promise<Principal | null> {
  // A caller who already acts as another user cannot act as a third one, because the user in between would leave no
  // trace.
  if (caller.real || !mayActAs(caller, caller)) return null;
  // A narrow sign-in must not become wider by acting as another user.
  if (obstacleTo(caller, 'token:createForOthers')) return null;
  const userId = await idInReach(caller, by);
  const user = userId && (await findPrincipal(plainSignIn(userId)));
  return user && mayActAs(caller, user) ? user : null;
}

/** Absent users and users out of reach take one statement, whether or not their sign-ins are cached. */
async function idInReach({ tenantId, role }: Caller, by: UserBy): Promise<string | null> {
  const inAllTenants = role === 'ROOT';
  const place = 'id' in by ? `${inAllTenants || tenantId} ${by.id}` : null;
  if ('id' in by && place && inReach.has(place)) return by.id;
  const [found] = await readUsers([{ by, tenantId, inAllTenants }]);
  if (found && place) inReach.set(place, true);
  return found?.id ?? null;
}

function actingAs(caller: Caller, user: Principal, lendsRole: boolean): Caller {
  const { userId, username, role, version } = caller;
  return {
    ...caller,
    tenantId: user.tenantId,
    userId: user.userId,
    username: user.username,
    role: lendsRole ? role : user.role,
    version: user.version,
    defaultLevel: user.defaultLevel,
    defaultFrom: user.defaultFrom,
    creationPolicy: user.creationPolicy,
    isShared: isSharedIdentity(user.userId),
    // The sign-in of the real caller named these groups.
    groupIds: [],
    real: { userId, username, role, version, lendsRole },
  };
}
