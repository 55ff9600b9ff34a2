import { LRUCache } from 'lru-cache';
import { type KeyUse, storeKeyUses } from '../identity/store/access-keys.ts';
import { log } from '../platform/log.ts';

/**
 * When and from where access keys were last used. Noted in passing and written in the background, all of a moment in one
 * statement, each key at most once a minute: a request never waits for it. Source: ClearML's last_used and
 * last_used_from.
 */

const EVERY_MS = 60_000;
const FLUSH_MS = 250;
const MAX_KEYS = 10_000;
const MAX_FROM = 255;

/** When each key's use was last noted. */
const noted = new LRUCache<string, number>({ max: MAX_KEYS });
let pending: KeyUse[] = [];
let timer: NodeJS.Timeout | null = null;
let flushing: Promise<void> = Promise.resolve();

/** @param from  the worker's name as it calls itself, or an address. */
export function noteKeyUse(credentialId: string, from: string | null): void {
  const now = Date.now();
  if (now - (noted.get(credentialId) ?? 0) < EVERY_MS || pending.length >= MAX_KEYS) return;
  noted.set(credentialId, now);
  pending.push({ credentialId, at: new Date(now), from: from && printable(from.slice(0, MAX_FROM)) });
  timer ??= setTimeout(() => void flushKeyUses(), FLUSH_MS).unref();
}

/** A header's bytes may be anything, half a character among them. */
const printable = (text: string) => text.replaceAll(/[\p{Cc}\p{Cs}]/gu, '');

/** Writes what was noted. Awaited when the server stops. */
export function flushKeyUses(): Promise<void> {
  if (timer) clearTimeout(timer);
  timer = null;
  const uses = pending;
  pending = [];
  if (uses.length > 0)
    flushing = flushing
      .then(() => storeKeyUses(uses))
      .catch((error) => log.warn({ err: error, keys: uses.length }, 'cannot record uses of access keys'));
  return flushing;
}
