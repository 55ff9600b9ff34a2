import { serverConfig } from '../../platform/config/server.ts';
import { anonymous } from './anonymous.ts';
import { basic } from './basic.ts';
import { ownBearer } from './bearer.ts';
import type { SignInMethodHandler } from './method.ts';
import { negotiate } from './negotiate.ts';
import { outsideBearer } from './outside-bearer.ts';
import { sessionCookie } from './session-cookie.ts';

/** The ways to sign in that are configured, in the order that they are asked, which is also that of their challenges. */
export const methods: readonly SignInMethodHandler[] = [
  ...(serverConfig.oidcIssuersFile ? [outsideBearer(serverConfig.oidcIssuersFile)] : []),
  ownBearer,
  basic,
  ...(serverConfig.kerberos ? [negotiate(serverConfig.kerberos)] : []),
  sessionCookie,
  ...(serverConfig.anonymous ? [anonymous(serverConfig.anonymous)] : []),
];
