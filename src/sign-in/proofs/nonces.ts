import { isSignature, sign } from '../../platform/secrets.ts';

/**
 * The nonces of DPoP (RFC 9449 §8 and §9). A client puts one into its proofs, so that nobody can have made them long
 * before. A nonce is the minute in which it was made, with our signature. So every server accepts the nonces of all
 * others, also while a secret of SLIPWAY_SECRETS is replaced, and nothing is stored.
 */

const PURPOSE = 'dpop-nonce';
/** How old a nonce may be, in minutes. It must be less than the time for which a used proof is remembered. */
const MAX_AGE = 3;
/** How far the clock of another server may be ahead of ours, in minutes. */
const MAX_AHEAD = 1;

const currentMinute = () => Math.floor(Date.now() / 60_000);

/** The nonce to use from now on. */
export function currentNonce(): string {
  const minute = String(currentMinute());
  return `${minute}.${sign(PURPOSE, minute)}`;
}

/** Whether a nonce is ours and not too old. */
export function isNonce(nonce: string): boolean {
  const [minute = '', signature = ''] = nonce.split('.');
  const age = currentMinute() - Number(minute);
  return age >= -MAX_AHEAD && age <= MAX_AGE && isSignature(PURPOSE, minute, signature);
}
