import type { JWK } from 'jose';
import { accessFeed } from '../authorization/feed.ts';
import { findFirstTenant } from '../identity/store/tenants.ts';
import { inTransaction } from '../platform/database/transaction.ts';
import { log } from '../platform/log.ts';
import { promotionOf } from './domain/key-sets.ts';
import { generateKey } from './generate-key.ts';
import {
  activateKey,
  insertKey,
  keysOfSet,
  listKeys,
  lockOrCreateSet,
  openPrivateJwk,
  type SetKey,
  type StoredKey,
} from './store.ts';

/** A key that signs or verifies for the server. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly publicJwk: JWK;
  /** Null for a retired key whose private part cannot be decrypted any more. It still verifies. */
  readonly privateJwk: JWK | null;
}

/** A set as it is at this moment. The object stays the same as long as the keys are the same. */
export interface SigningKeys {
  /** The key that signs. */
  readonly current: SigningKey & { readonly privateJwk: JWK };
  /** All keys that verify: the current one first, then the others, newest first. */
  readonly all: readonly SigningKey[];
}

/**
 * A set of keys of the server itself, which belongs to the first tenant. Its first keys are made when they are needed.
 * The keys are read once, and again after each change of keys in the feed; while the feed is silent, they are read each
 * time.
 */
export class SigningKeySet {
  readonly name: string;
  readonly #kind: { readonly alg: string; readonly use: 'sig' };
  #reading: Promise<SigningKeys> | null = null;
  #last: { readonly stored: string; readonly keys: SigningKeys } | null = null;

  constructor(name: string, alg: string) {
    this.name = name;
    this.#kind = { alg, use: 'sig' };
    accessFeed.on((event) => {
      if (event === 'ANYTHING' || event.kind === 'SIGNING_KEY') this.#reading = null;
    });
  }

  current(): Promise<SigningKeys> {
    if (this.#reading && accessFeed.isFresh) return this.#reading;
    const started = this.#read();
    this.#reading = started;
    started.catch(() => {
      if (this.#reading === started) this.#reading = null;
    });
    return started;
  }

  async #read(): Promise<SigningKeys> {
    const tenant = await findFirstTenant();
    if (!tenant) throw new Error('no tenant exists, so nobody can sign in');
    const set = { tenantId: tenant.id, name: this.name };
    let rows = await listKeys(set);
    if (!rows.some(signs)) {
      await this.#ensureCurrent(set);
      rows = await listKeys(set);
    }
    const stored = JSON.stringify(rows);
    if (this.#last?.stored !== stored) this.#last = { stored, keys: keysOf(this.name, rows) };
    return this.#last.keys;
  }

  /**
   * Lets a key sign if none does: the set is new, or somebody has deleted its key. If several servers try at once, only
   * one does it. The next key is published from the beginning.
   */
  async #ensureCurrent({ tenantId, name }: SetKey): Promise<void> {
    const [first, next] = await Promise.all([generateKey(this.#kind), generateKey(this.#kind)]);
    await inTransaction(async (tx) => {
      const id = await lockOrCreateSet(tx, { tenantId, name });
      const keys = await keysOfSet(tx, id);
      if (keys.some(({ state }) => state === 'CURRENT')) return;
      const at = new Date();
      const promotion = promotionOf(keys, this.#kind);
      if (promotion) await activateKey(tx, promotion.promoted.id, at);
      else await insertKey(tx, { id, tenantId }, first, { state: 'CURRENT', at });
      await insertKey(tx, { id, tenantId }, next, { state: 'NEXT', at });
    });
  }
}

const signs = ({ state, privateJwkSealed }: StoredKey) => state === 'CURRENT' && privateJwkSealed !== null;

function keysOf(set: string, rows: readonly StoredKey[]): SigningKeys {
  const row = rows.find(signs);
  if (!row?.privateJwkSealed) throw new Error(`the set ${set} has no key that signs`);
  const { kid, alg, publicJwk } = row;
  const current = { kid, alg, publicJwk, privateJwk: openPrivateJwk(row.privateJwkSealed) };
  return { current, all: [current, ...rows.filter((other) => other !== row).map(verifier)] };
}

function verifier({ kid, alg, publicJwk, privateJwkSealed }: StoredKey): SigningKey {
  let privateJwk: JWK | null = null;
  try {
    privateJwk = privateJwkSealed && openPrivateJwk(privateJwkSealed);
  } catch (error) {
    log.warn({ kid, err: error }, 'the private part of a key cannot be decrypted');
  }
  return { kid, alg, publicJwk, privateJwk };
}

/** Signs ID tokens. Every client of OpenID Connect can verify RS256. */
export const idTokenKeys = new SigningKeySet('slipway.openid.id-token', 'RS256');

/** Signs the access tokens for Slipway itself. Such tokens are short and quick to check. */
export const accessTokenKeys = new SigningKeySet('slipway.access-token', 'EdDSA');
