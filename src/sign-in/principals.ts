import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { type AccessEvent, accessFeed } from '../authorization/feed.ts';
import { type AccessKey, type Principal, readAccessKeys, readPrincipals } from './store/principals.ts';

export {
  type Account,
  findPasswordUser,
  type Principal,
} from './store/principals.ts';

/**
 * Who is behind a sign-in, remembered between requests. What is remembered only ever says yes: where it does not fit,
 * the database is asked, so a new password or token works at once on every server. And it says so only while the feed of
 * changes is fresh: what another server ends is forgotten here within a second, and what this one ends before it answers.
 */

/** What a sign-in refers to. */
export interface SignInKey {
  readonly userId: string;
  readonly credentialId: string | null;
  readonly sessionId: string | null;
  /** The user's version that it was made under; null for a sign-in that proves itself anew each time. */
  readonly version: number | null;
}

/** As who proves itself anew at each request, without an access key. */
export const plainSignIn = (userId: string): SignInKey => ({
  userId,
  credentialId: null,
  sessionId: null,
  version: null,
});

const MAX_PRINCIPALS = 10_000;

class Principals {
  readonly #known = new LRUCache<string, Principal>({
    max: MAX_PRINCIPALS,
    dispose: ({ userId }, name, why) => why === 'evict' && this.#forgetName(userId, name),
  });
  readonly #keysOfUser = new Map<string, Set<string>>();
  readonly #loading = new Map<string, Promise<Principal | null>>();
  /** Grows with each change that was heard of: what was read before one is not remembered after it. */
  #generation = 0;

  async find(key: SignInKey): Promise<Principal | null> {
    const name = nameOf(key);
    const known = accessFeed.isFresh ? this.#known.get(name) : undefined;
    if (known && isGood(known, key)) return known;
    const loading = this.#loading.get(name);
    const shared = loading && accessFeed.isFresh ? await loading : null;
    if (shared && isGood(shared, key)) return shared;
    // What others were already reading may be older than this sign-in.
    const principal = await this.#loadShared(name, key);
    return principal && isGood(principal, key) ? principal : null;
  }

  forget(event: AccessEvent): void {
    if (event !== 'ANYTHING' && event.kind !== 'PRINCIPAL') return;
    this.#generation += 1;
    // Whoever asks from now on must not be handed what is being read since before the change.
    this.#loading.clear();
    if (event === 'ANYTHING' || event.userId === null) {
      this.#known.clear();
      this.#keysOfUser.clear();
      return;
    }
    for (const name of this.#keysOfUser.get(event.userId) ?? []) this.#known.delete(name);
    this.#keysOfUser.delete(event.userId);
  }

  /** Others who ask for the same meanwhile are handed what this finds. */
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
    const names = this.#keysOfUser.get(principal.userId) ?? new Set();
    this.#keysOfUser.set(principal.userId, names.add(name));
    this.#known.set(name, principal);
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
 * The active user behind a sign-in, as it stands now; null when the user is disabled, gone or of another version, the
 * access key revoked or expired, or the session ended.
 */
export function findPrincipal(key: SignInKey): Promise<Principal | null> {
  return principals.find(key);
}

/** Keys whose secret was right: they never change, and whether they still hold is asked of their principal. */
const accessKeys = new LRUCache<string, AccessKey>({ max: MAX_PRINCIPALS });

/** Keys that are asked for at the same time, good ones and made-up ones, are read together. */
const askedKeys = new DataLoader<string, AccessKey | null>(readAccessKeys, {
  cache: false,
  maxBatchSize: 100,
});

/** The access key that `isRight` finds right; otherwise why not: it is unknown, or its secret is another. */
export async function findAccessKey(
  accessKey: string,
  isRight: (key: AccessKey) => boolean,
): Promise<{ key: AccessKey | null; isRight: boolean }> {
  const known = accessKeys.get(accessKey) ?? (await askedKeys.load(accessKey));
  if (!known) return { key: null, isRight: false };
  if (!isRight(known)) return { key: known, isRight: false };
  accessKeys.set(accessKey, known);
  return { key: known, isRight: true };
}
