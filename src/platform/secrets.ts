import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { baseConfig } from './config/base.ts';
import { controlPlaneConfig } from './config/control-plane.ts';
import { ConfigurationError } from './config/environment.ts';

/**
 * Encryption at rest and our own signatures, with SLIPWAY_SECRETS. The first secret encrypts and signs; all secrets can
 * decrypt and verify. To replace a secret, put the new one in front, and remove the old one when nothing is encrypted
 * with it any more.
 *
 * An encrypted text is: version (1 byte), nonce (12), tag (16), ciphertext; AES-256-GCM.
 */

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const MIN_CHARACTERS = 32;
/** 32 random digits must be accepted. In 200,000 random draws, the lowest value was 72 bits. */
const MIN_BITS = 66;
const HOW_TO_MAKE_ONE = `Make one with: node -p "require('crypto').randomBytes(48).toString('base64url')"`;

/**
 * The configured secrets.
 *
 * @throws ConfigurationError if there is none, if one is short, or, in production, if one is easy to guess.
 */
export function requiredSecrets(): readonly [string, ...string[]] {
  const secrets = controlPlaneConfig.secrets ?? [];
  const [first, ...others] = secrets;
  if (first === undefined)
    throw new ConfigurationError(
      `SLIPWAY_SECRETS is required: a random text of at least ${MIN_CHARACTERS} characters. ${HOW_TO_MAKE_ONE}`,
    );
  const short = secrets.findIndex((secret) => secret.length < MIN_CHARACTERS);
  if (short >= 0)
    throw new ConfigurationError(
      `SLIPWAY_SECRETS: secret ${short + 1} has fewer than ${MIN_CHARACTERS} characters. ${HOW_TO_MAKE_ONE}`,
    );
  const weak = secrets.findIndex((secret) => guessingBits(secret) < MIN_BITS);
  if (weak >= 0 && baseConfig.production)
    throw new ConfigurationError(
      `SLIPWAY_SECRETS: secret ${weak + 1} is easy to guess, because it repeats itself. ${HOW_TO_MAKE_ONE}`,
    );
  return [first, ...others];
}

/** An upper limit for the bits that must be guessed: characters that repeat or continue earlier ones add nothing. */
function guessingBits(text: string): number {
  const step = (at: number) => text.charCodeAt(at) - text.charCodeAt(at - 1);
  const isNovel = (at: number) => {
    const goesOn = Math.abs(step(at)) <= 1 && step(at) === step(at - 1);
    const repeats = text.indexOf(text.slice(at - 2, at + 1)) < at - 2;
    return !goesOn && !repeats;
  };
  const novel = [...text].filter((_, at) => isNovel(at)).length;
  return novel * Math.log2(new Set(text).size);
}

type Keys = readonly [Buffer, ...Buffer[]];
const derivedKeys = new Map<string, Keys>();

function keysFor(purpose: string): Keys {
  const known = derivedKeys.get(purpose);
  if (known) return known;
  const derive = (secret: string) => Buffer.from(hkdfSync('sha256', secret, 'slipway', purpose, 32));
  const [first, ...others] = requiredSecrets();
  const keys: Keys = [derive(first), ...others.map(derive)];
  derivedKeys.set(purpose, keys);
  return keys;
}

/** Encrypts a text for one purpose. It cannot be decrypted for another purpose. */
export function seal(purpose: string, text: string): Buffer {
  const [key] = keysFor(`seal:${purpose}`);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
}

/** @throws Error if no configured secret can decrypt it: it was changed, or its secret is no longer configured. */
export function open(purpose: string, sealed: Uint8Array): string {
  for (const key of keysFor(`seal:${purpose}`)) {
    // Another secret of the list may have encrypted it. Then try the next one.
    const text = decrypted(key, sealed);
    if (text !== null) return text;
  }
  throw new Error(`${purpose} cannot be decrypted with the configured SLIPWAY_SECRETS`);
}

/** False if an older secret has encrypted the text, which is needed then until the text is encrypted anew. */
export const isSealedWithFirst = (purpose: string, sealed: Uint8Array): boolean =>
  decrypted(keysFor(`seal:${purpose}`)[0], sealed) !== null;

function decrypted(key: Buffer, sealed: Uint8Array): string | null {
  const bytes = Buffer.from(sealed);
  if (bytes[0] !== VERSION) return null;
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
  const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  const body = bytes.subarray(1 + NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** An HMAC-SHA-256 of the text, in base64url. */
export function sign(purpose: string, text: string): string {
  const [key] = keysFor(`sign:${purpose}`);
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** The same with each of the configured secrets, in their order. */
export function signaturesOfAll(purpose: string, text: string): string[] {
  return keysFor(`sign:${purpose}`).map((key) => createHmac('sha256', key).update(text).digest('base64url'));
}

export function isSignature(purpose: string, text: string, signature: string): boolean {
  const given = Buffer.from(signature, 'base64url');
  return keysFor(`sign:${purpose}`).some((key) => {
    const right = createHmac('sha256', key).update(text).digest();
    return right.length === given.length && timingSafeEqual(right, given);
  });
}
