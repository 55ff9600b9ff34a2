import { UnauthenticatedError } from '../../platform/errors.ts';
import type { SignInRequest } from '../methods/method.ts';
import type { ProofFault } from './check-proof.ts';

/** A token that is bound to a key, or should be, was not shown as it must be. Source: RFC 9449 §7. */
export class BoundTokenError extends UnauthenticatedError {
  /** The scheme with which the token came. */
  readonly scheme: 'Bearer' | 'DPoP';
  override readonly details: { readonly tokenError: 'invalid_token' | ProofFault };

  constructor(scheme: 'Bearer' | 'DPoP', tokenError: 'invalid_token' | ProofFault, message: string) {
    super(message);
    this.scheme = scheme;
    this.details = { tokenError };
  }

  /** A challenge of a 401 answer, with what is wrong if it is for this scheme. */
  completed(challenge: string): string {
    if (!challenge.startsWith(`${this.scheme} `)) return challenge;
    return `${challenge}, error="${this.details.tokenError}", error_description="${this.message}"`;
  }
}

/** For a token that is bound to a key and came as a bearer token: whoever has copied it must not use it. */
export const withoutProof = ({ target }: SignInRequest): BoundTokenError =>
  target
    ? new BoundTokenError(
        'Bearer',
        'invalid_token',
        'the token is bound to a key; send it as DPoP with a proof',
      )
    : noProofPossible('Bearer');

/** Over a WebSocket there is one handshake for many operations, so a proof would say nothing about them. */
export const noProofPossible = (scheme: 'Bearer' | 'DPoP'): BoundTokenError =>
  new BoundTokenError(
    scheme,
    'invalid_token',
    'tokens that are bound to a key do not work over WebSockets; use HTTP, with Server-Sent Events',
  );
