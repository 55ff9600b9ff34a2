import { serverConfig } from '../../platform/config/server.ts';
import { anonymous } from './anonymous.ts';
import { basic } from './basic.ts';
import { ownBearer } from './bearer.ts';
import { boundToken } from './bound-token.ts';
import type { SignInMethodHandler } from './method.ts';
import { negotiate } from './negotiate.ts';
import { outsideBearer } from './outside-bearer.ts';
import { sessionCookie } from './session-cookie.ts';

/** The configured ways to sign in, in the order in which they are asked. Their challenges have the same order. */
export const methods: readonly SignInMethodHandler[] = [
  ...(serverConfig.oidcIssuersFile ? [outsideBearer(serverConfig.oidcIssuersFile)] : []),
  ownBearer,
  boundToken,
  basic,
  ...(serverConfig.kerberos ? [negotiate(serverConfig.kerberos)] : []),
  sessionCookie,
  ...(serverConfig.anonymous ? [anonymous(serverConfig.anonymous)] : []),
];
