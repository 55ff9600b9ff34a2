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
import { findPrincipal, type Principal, plainSignIn } from './principals.ts';

/**
 * Acting as somebody else for one request, by a header that names the user by id, user name or `tenant/name`:
 *
 * - `X-Slipway-Impersonate-As`: as that user in all, the role included;
 * - `X-Slipway-Act-As`: as that user, with one's own role.
 *
 * Only root, system and administrators may, and never as somebody above them; in another tenant only root. What is done
 * is recorded with both names. Source: ClearML's impersonation, whose names are taken too.
 */
const impersonateAs = ['x-slipway-impersonate-as', 'x-clearml-impersonate-as'];
const actAs = ['x-slipway-act-as', 'x-clearml-act-as'];

export const impersonationHeaders: readonly string[] = [...impersonateAs, ...actAs];

/**
 * @throws InvalidArgumentError for more than one header; PermissionDeniedError, with the same words for a caller who may
 * not and for a user who is absent, elsewhere or above; UnauthenticatedError for a stranger.
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
    throw InvalidArgumentError.of([], 'impersonate-as and act-as: a request takes one of them, once');
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

/** Ids that were found in reach of a tenant, or of all: a user stays in its tenant. */
const inReach = new LRUCache<string, true>({ max: 10_000 });

async function findUser(caller: Caller, by: UserBy): Promise<Principal | null> {
  // Who acts as somebody already goes no further: it would leave no trace of the one in between.
  if (caller.real || !mayActAs(caller, caller)) return null;
  // A narrow sign-in is made no wider by acting as somebody.
  if (obstacleTo(caller, 'token:createForOthers')) return null;
  const userId = await idInReach(caller, by);
  const user = userId && (await findPrincipal(plainSignIn(userId)));
  return user && mayActAs(caller, user) ? user : null;
}

/** One statement for users who are absent or out of reach alike, whoever is remembered as signed in. */
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
    // Those were named by the sign-in of the real caller.
    groupIds: [],
    real: { userId, username, role, version, lendsRole },
    log: caller.log.child({ userId: user.userId, realUserId: userId }),
  };
}
