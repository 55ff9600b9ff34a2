import { LRUCache } from 'lru-cache';
import { type KeyUse, storeKeyUses } from '../identity/store/access-keys.ts';
import { log } from '../platform/log.ts';
import { MAX_CACHED } from './max-cached.ts';

/**
 * When and from where access keys were last used. Uses are collected and written in the background, several in one
 * statement, and for each key at most once a minute. Requests do not wait for it. Source: ClearML's last_used and
 * last_used_from.
 */

const EVERY_MS = 60_000;
const FLUSH_MS = 250;
const MAX_FROM = 255;

/** When we last recorded a use of each key. */
const noted = new LRUCache<string, number>({ max: MAX_CACHED });
let pending: KeyUse[] = [];
let timer: NodeJS.Timeout | null = null;
let flushing: Promise<void> = Promise.resolve();

/** @param from  the name that the program calls itself, or an address. */
export function noteKeyUse(credentialId: string, from: string | null): void {
  const now = Date.now();
  if (now - (noted.get(credentialId) ?? 0) < EVERY_MS || pending.length >= MAX_CACHED) return;
  noted.set(credentialId, now);
  pending.push({ credentialId, at: new Date(now), from: from && printable(from.slice(0, MAX_FROM)) });
  timer ??= setTimeout(() => void flushKeyUses(), FLUSH_MS).unref();
}

/** A header can contain any bytes, even half of a character. */
const printable = (text: string) => text.replaceAll(/[\p{Cc}\p{Cs}]/gu, '');

/** Writes the collected uses. The server waits for it when it stops. */
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
