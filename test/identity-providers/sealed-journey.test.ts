/** What a browser carries through a sign-in at an identity provider: nobody else can make it, and it does not last. */
import { describe, expect, it, vi } from 'vitest';
import {
  type Arrival,
  type Journey,
  openArrival,
  openJourney,
  sealArrival,
  sealJourney,
} from '../../src/identity-providers/sealed-journey.ts';
import { stopClocks } from '../support/clock.ts';

const journey: Journey = {
  ...{ challenge: 'challenge', providerId: 'provider', nonce: 'nonce', codeVerifier: 'verifier' },
  isRemembered: true,
};
const arrival: Arrival = {
  ...{ challenge: 'challenge', providerId: 'provider', subject: 'subject', label: 'Ann', groups: ['a'] },
  ...{ amr: null, isRemembered: false },
};
const MINUTE = 60_000;

describe.each<
  [string, () => string, (text: string) => object | null, object, (text: string) => object | null]
>([
  ['a journey', () => sealJourney(journey), openJourney, journey, openArrival],
  ['an arrival', () => sealArrival(arrival), openArrival, arrival, openJourney],
])('%s', (_what, seal, open, content, openAsOther) => {
  it('opens as it was for half an hour, and not after that', () => {
    stopClocks('Date');
    const sealed = seal();
    vi.setSystemTime(Date.now() + 30 * MINUTE - 1);
    expect(open(sealed)).toEqual(content);
    vi.setSystemTime(Date.now() + 1);
    expect(open(sealed)).toBeNull();
  });

  it('shows nothing of what it has in it', () => {
    const bytes = Buffer.from(seal(), 'base64url').toString('latin1');
    for (const text of ['challenge', 'provider', 'verifier', 'subject', 'Ann'])
      expect(bytes).not.toContain(text);
  });

  it('does not open if it was changed, or if it was sealed as something else', () => {
    const bytes = Buffer.from(seal(), 'base64url');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    expect(open(bytes.toString('base64url'))).toBeNull();
    expect(openAsOther(seal())).toBeNull();
  });
});
