import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

const keyAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const ACCESS_KEY_LENGTH = 30;
const SECRET_BYTES = 50;

/** 30 characters A-Z0-9. Source: ClearML's credentials. */
export function newAccessKey(): string {
  return Array.from({ length: ACCESS_KEY_LENGTH }, () => keyAlphabet[randomInt(keyAlphabet.length)]).join('');
}

/** 50 random bytes as URL-safe base64, which never begins with `-` or `_`. */
export function newSecretKey(): string {
  for (;;) {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    if (/^[A-Za-z0-9]/.test(secret)) return secret;
  }
}

/** Only for random secrets. They have enough entropy, so the hash may be fast. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

export function isSecret(secret: string, hash: Uint8Array): boolean {
  return timingSafeEqual(hashSecret(secret), hash);
}

/** A password for a first sign-in: 120 bits, in groups that can be read aloud. */
export function newPassword(): string {
  const text = randomBytes(15).toString('base64url').replaceAll(/[-_]/g, 'x');
  return text.replaceAll(/.{5}(?=.)/g, '$&-');
}
