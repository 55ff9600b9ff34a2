import { decodeJwt, errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { displayNameFault } from '../../authorization/domain/names.ts';
import { isScope } from '../../authorization/domain/permissions.ts';
import { listGroupIds } from '../../authorization/store/named-groups.ts';
import { plain } from '../../platform/caller.ts';
import { DomainError, UnauthenticatedError } from '../../platform/errors.ts';
import { log } from '../../platform/log.ts';
import { nameKey } from '../../platform/text.ts';
import { MAX_CACHED } from '../max-cached.ts';
import { findOutsideUser } from '../outside-users.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { type IssuerSettings, readIssuers } from './issuers-file.ts';
import { authorizationOf, type SignedIn, type SignInMethodHandler, type SignInRequest } from './method.ts';

/**
 * `Authorization: Bearer`, with a token of a configured outside issuer. All other tokens go on to `ownBearer`, which
 * accepts ours and refuses the rest. Source: Armada's OpenID authentication.
 *
 * @param file  a JSON list, which is read before the server listens.
 */
export function outsideBearer(file: string): SignInMethodHandler {
  const issuers = new Map<string, OutsideIssuer>();
  return {
    // The challenge of `ownBearer` names the scheme.
    challenge: null,
    async prepare() {
      for (const settings of await readIssuers(file))
        issuers.set(settings.issuer, new OutsideIssuer(settings));
    },
    async signIn(request) {
      const authorization = authorizationOf(request);
      if (authorization?.scheme !== 'bearer') return null;
      const issuer = issuers.get(claimedIssuer(authorization.value) ?? '');
      return issuer ? await issuer.signIn(authorization.value, request) : null;
    },
  };
}

/** The issuer that a token claims. It only decides which issuer checks the token. */
function claimedIssuer(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

/** The content of a token after its check. */
interface Vouched {
  readonly username: string;
  readonly name: string | null;
  readonly groups: readonly string[];
  /** Null means no limit. */
  readonly scopes: readonly string[] | null;
  readonly signedInAt: Date | null;
  readonly expiresAt: Date;
}

const MAX_GROUPS = 500;

/** The last second that a Date can hold. */
const LAST_SECOND = 8.64e12;

const refused = (cause: unknown): UnauthenticatedError =>
  Object.assign(new UnauthenticatedError('the token is not valid'), { cause });

/** One outside issuer. Checks its tokens and finds their users. */
export class OutsideIssuer {
  readonly #settings: IssuerSettings;
  /** Tokens whose signature was already checked. We cache nothing else, until they expire or the keys change. */
  readonly #verified = new LRUCache<string, Vouched>({ max: MAX_CACHED });
  readonly #keys: IssuerKeys;

  constructor(settings: IssuerSettings) {
    this.#settings = settings;
    this.#keys = new IssuerKeys(settings, () => this.#verified.clear());
  }

  /** @throws UnauthenticatedError; UnavailableError if the keys of the issuer are needed but cannot be fetched. */
  async signIn(token: string, { address }: Pick<SignInRequest, 'address'>): Promise<SignedIn> {
    const { issuer: source, tenant, createUsers, linkLocalUsers: linksLocalUsers } = this.#settings;
    const { username, name, groups, ...limits } = await this.verify(token);
    const role = createUsers?.role ?? null;
    const outside = { tenant, username, name, role, source, address, linksLocalUsers };
    const principal = await findOutsideUser(outside);
    if (!principal) {
      log.info({ issuer: source, tenant }, 'outside token refused, because it names no user');
      throw refused('no user');
    }
    const groupIds = await listGroupIds(principal.tenantId, groups);
    const vouchedUntil = limits.expiresAt;
    return { ...plain, ...limits, vouchedUntil, principal, groupIds, method: 'OUTSIDE_TOKEN' };
  }

  /** @throws UnauthenticatedError; UnavailableError */
  async verify(token: string): Promise<Vouched> {
    await this.#keys.refresh();
    const known = this.#verified.get(token);
    if (known && known.expiresAt.getTime() > Date.now()) return known;
    this.#verified.delete(token);
    const vouched = this.#read(await this.#judge(token));
    this.#verified.set(token, vouched);
    return vouched;
  }

  async #judge(token: string): Promise<JWTVerifyResult> {
    const { issuer, audience, algorithms, clockToleranceSeconds } = this.#settings;
    try {
      return await jwtVerify(token, this.#keys.find, {
        issuer,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['exp'],
        ...(audience === undefined ? {} : { audience }),
      });
    } catch (error) {
      if (error instanceof DomainError) throw error;
      const reason = error instanceof errors.JOSEError ? error.code : (error as Error).name;
      log.info({ issuer, reason }, 'outside token refused');
      throw refused(error);
    }
  }

  /** @throws UnauthenticatedError for a valid token that is not for signing in here. */
  #read({ payload, protectedHeader }: JWTVerifyResult): Vouched {
    const { usernameClaim, groupsClaim, scopesFromClaim, clockToleranceSeconds } = this.#settings;
    const header = protectedHeader.typ?.toLowerCase().replace(/^application\//, '');
    const isOfUse =
      (header === undefined || header === 'jwt' || header === 'at+jwt') &&
      // Keycloak has the kind of a token in a claim: `Refresh`, `Offline`, `Logout` …
      [undefined, 'Bearer', 'ID'].includes(payload['typ'] as string | undefined);
    if (!isOfUse) throw refused('a token of another kind');
    // `events` is in a logout token (OpenID Connect Back-Channel Logout). A token with `cnf` is valid only together
    // with a key that its owner proves to have (RFC 7800).
    if (payload['events'] !== undefined) throw refused('a token of another kind');
    if (payload['cnf'] !== undefined) throw refused('a bound token');
    if (usernameClaim === 'email' && payload['email_verified'] !== true)
      throw refused('an unverified address');
    const username = payload[usernameClaim];
    if (typeof username !== 'string') throw refused('no user name');
    return {
      username,
      name: nameIn(payload),
      groups: groupsClaim ? groupsIn(payload[groupsClaim]) : [],
      scopes: scopesFromClaim ? scopesIn(payload['scope']) : null,
      signedInAt: dateOf(payload['auth_time']) ?? dateOf(payload.iat),
      // The token counts for as long as the check accepts it.
      expiresAt: new Date(Math.min(Number(payload.exp) + clockToleranceSeconds, LAST_SECOND) * 1000),
    };
  }
}

function nameIn({ name }: JWTPayload): string | null {
  return typeof name === 'string' && name.trim() !== '' && displayNameFault(name) === null ? name : null;
}

/** The names of groups in the form in which names are compared; none if the claim is not a list. */
function groupsIn(claim: unknown): string[] {
  if (!Array.isArray(claim)) return [];
  const names = claim.filter((name): name is string => typeof name === 'string' && !name.includes('\u0000'));
  return names.slice(0, MAX_GROUPS).map(nameKey);
}

/** The scopes that we know. If there is none, the token may do nothing. Source: RFC 8693 §4.2. */
function scopesIn(claim: unknown): string[] {
  return typeof claim === 'string' ? claim.split(' ').filter(isScope) : [];
}

function dateOf(seconds: unknown): Date | null {
  return typeof seconds === 'number' && Math.abs(seconds) <= LAST_SECOND ? new Date(seconds * 1000) : null;
}
