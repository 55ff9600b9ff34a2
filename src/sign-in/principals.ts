import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { type AccessEvent, accessFeed } from '../authorization/feed.ts';
import { MAX_CACHED } from './max-cached.ts';
import { type AccessKey, type Principal, readAccessKeys, readPrincipals } from './store/principals.ts';

export {
  type Account,
  findPasswordUser,
  type Principal,
} from './store/principals.ts';

/**
 * The users behind sign-ins, cached between requests. The cache only confirms: if it does not fit, we ask the database,
 * so a new password or token works at once on every server. The cache counts only while the feed of changes is fresh.
 * So a change on another server has an effect here within a second, and a change on this server before it is answered.
 */

/** What identifies a sign-in. */
export interface SignInKey {
  readonly userId: string;
  readonly credentialId: string | null;
  readonly sessionId: string | null;
  /**
   * The version of the user when the token was issued; null for a sign-in that checks credentials with each request.
   */
  readonly version: number | null;
}

/** A sign-in without an access key that checks credentials with each request. */
export const plainSignIn = (userId: string): SignInKey => ({
  userId,
  credentialId: null,
  sessionId: null,
  version: null,
});

class Principals {
  readonly #known = new LRUCache<string, Principal>({
    max: MAX_CACHED,
    dispose: ({ userId }, name) => this.#forgetName(userId, name),
  });
  readonly #keysOfUser = new Map<string, Set<string>>();
  readonly #loading = new Map<string, Promise<Principal | null>>();
  /** Grows with each known change. A read that began before a change is not cached after it. */
  #generation = 0;

  async find(key: SignInKey): Promise<Principal | null> {
    const name = nameOf(key);
    const known = accessFeed.isFresh ? this.#known.get(name) : undefined;
    if (known && isGood(known, key)) return known;
    const shared = accessFeed.isFresh ? await this.#loading.get(name) : null;
    if (shared && isGood(shared, key)) return shared;
    // A read that is already running may be older than this sign-in.
    const principal = await this.#loadShared(name, key);
    return principal && isGood(principal, key) ? principal : null;
  }

  forget(event: AccessEvent): void {
    if (event !== 'ANYTHING' && event.kind !== 'PRINCIPAL') return;
    this.#generation += 1;
    // Callers from now on must not get the result of a read that began before the change.
    this.#loading.clear();
    if (event === 'ANYTHING' || event.userId === null) {
      this.#known.clear();
      return;
    }
    for (const name of this.#keysOfUser.get(event.userId) ?? []) this.#known.delete(name);
  }

  /** If several callers ask for the same at once, they share one read. */
  #loadShared(name: string, key: SignInKey): Promise<Principal | null> {
    const started = this.#load(name, key).finally(() => {
      if (this.#loading.get(name) === started) this.#loading.delete(name);
    });
    this.#loading.set(name, started);
    return started;
  }

  async #load(name: string, key: SignInKey): Promise<Principal | null> {
    const generation = this.#generation;
    const [principal = null] = await readPrincipals([key.userId], key.credentialId, key.sessionId);
    if (principal && generation === this.#generation) this.#remember(name, principal);
    return principal;
  }

  #remember(name: string, principal: Principal): void {
    // First the entry, because the cache forgets the name of the one that it replaces.
    this.#known.set(name, principal);
    const names = this.#keysOfUser.get(principal.userId) ?? new Set();
    this.#keysOfUser.set(principal.userId, names.add(name));
  }

  #forgetName(userId: string, name: string): void {
    const names = this.#keysOfUser.get(userId);
    names?.delete(name);
    if (names?.size === 0) this.#keysOfUser.delete(userId);
  }
}

const nameOf = ({ userId, credentialId, sessionId }: SignInKey) =>
  `${userId} ${credentialId ?? ''} ${sessionId ?? ''}`;

function isGood({ version, credentialExpiresAt }: Principal, key: SignInKey): boolean {
  if (key.version !== null && key.version !== version) return false;
  return !credentialExpiresAt || credentialExpiresAt.getTime() > Date.now();
}

const principals = new Principals();
accessFeed.on((event) => principals.forget(event));

/**
 * The active user of a sign-in, as it is now. Null if the user is disabled, deleted or has another version, if the
 * access key is revoked or expired, or if the session has ended.
 */
export function findPrincipal(key: SignInKey): Promise<Principal | null> {
  return principals.find(key);
}

/**
 * Access keys whose secret was right. They never change. Whether they are still valid is checked with the principal.
 */
const accessKeys = new LRUCache<string, AccessKey>({ max: MAX_CACHED });

/** Access keys that are asked for at the same time, valid or invented, are read together. */
const askedKeys = new DataLoader<string, AccessKey | null>(readAccessKeys, {
  cache: false,
  maxBatchSize: 100,
});

/** The access key, if `isRight` accepts it; otherwise, whether it is unknown or its secret is wrong. */
export async function findAccessKey(
  accessKey: string,
  isRight: (key: AccessKey) => boolean,
): Promise<{ key: AccessKey | null; isRight: boolean }> {
  const known = accessKeys.get(accessKey) ?? (await askedKeys.load(accessKey));
  if (!known || !isRight(known)) return { key: known, isRight: false };
  accessKeys.set(accessKey, known);
  return { key: known, isRight: true };
}
