import { createHmac } from 'node:crypto';

/**
 * The header `Slipway-Signature` of a webhook: `t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA-256>`, with one `v1` for
 * each key. The HMAC is of the time, a full stop and the body. A receiver computes it with its key, compares it with
 * each `v1`, and refuses old times.
 */
export function signatureHeader(keys: readonly string[], body: string, now: Date): string {
  const time = Math.floor(now.getTime() / 1000);
  const signatures = keys.map(
    (key) => `v1=${createHmac('sha256', key).update(`${time}.${body}`).digest('hex')}`,
  );
  return [`t=${time}`, ...signatures].join(',');
}
