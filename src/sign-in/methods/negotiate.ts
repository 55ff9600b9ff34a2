import { resolve } from 'node:path';
import { plain } from '../../platform/caller.ts';
import { ConfigurationError, setVariable } from '../../platform/config/environment.ts';
import { ResourceExhaustedError, UnauthenticatedError } from '../../platform/errors.ts';
import { log } from '../../platform/log.ts';
import { turns } from '../../platform/turns.ts';
import { findOutsideUser } from '../outside-users.ts';
import { authorizationOf, type SignInMethodHandler } from './method.ts';

export interface KerberosSettings {
  /** The service that tickets must be for, `HTTP@host`, with its keys in `keytab`. */
  readonly service: string;
  readonly keytab: string;
  /** The realms whose principals are users. */
  readonly realms: readonly string[];
  /** The tenant's name. */
  readonly tenant: string;
  /** Added to a principal's name. */
  readonly usernameSuffix: string;
  readonly createUsers: { readonly role: 'USER' | 'GUEST' } | null;
}

/** As much of the package `kerberos` as is used. It is optional, so its types may not be there. */
interface Kerberos {
  initializeServer(service: string): Promise<Acceptor>;
}
interface Acceptor {
  readonly username: string | null;
  /** What the other side must be sent; null for nothing. */
  readonly response: string | null;
  readonly contextComplete: boolean;
  /** @throws Error when the token is not good, and also when the negotiation takes a further leg. */
  step(token: string): Promise<string | null>;
}

/** Negotiation failed: a SPNEGO reply that says "reject". Source: Armada's Kerberos authentication. */
const REJECT = 'oQcwBaADCgEC';

/** A ticket with the groups of a large directory, in base64. */
const MAX_TOKEN_LENGTH = 64_000;
/** How long the header of a request may be where such tickets come. */
export const MAX_HEADER_BYTES = 80_000;

/** Each call takes a thread of the pool, and reads the keytab. */
const inTurn = turns(
  2,
  100,
  () => new ResourceExhaustedError('too many tickets are being checked, try again'),
);

/** A refusal that the client's negotiation is told of. */
export class NegotiateError extends UnauthenticatedError {
  /** In place of the bare `Negotiate`. */
  readonly challenge: string;

  constructor(token: string) {
    super('the credentials are not valid');
    this.challenge = `Negotiate ${token}`;
  }
}

/**
 * `Authorization: Negotiate`, with a Kerberos ticket in SPNEGO (RFC 4559). A ticket proves a principal, `name@REALM`; the
 * realm must be a configured one, and `name` with the suffix is the user. A ticket that was seen before is refused by
 * the Kerberos library, so each sign-in takes a fresh one; clients that ask often take a token with `login`.
 *
 * Groups in a ticket (Active Directory's PAC) are not read: the library does not show them.
 */
export function negotiate(
  settings: KerberosSettings,
  importPackage: ImportPackage = importKerberos,
): SignInMethodHandler {
  let kerberos: Kerberos | null = null;
  /** Negotiations that take a further leg, by their connection; at most one each. */
  const open = new WeakMap<object, Acceptor>();

  /** @returns the principal, and what is sent back to prove that we are who we are. @throws NegotiateError */
  async function accept(token: string, connection: object) {
    if (!kerberos) throw new Error('Kerberos is not ready');
    const acceptor = open.get(connection) ?? (await kerberos.initializeServer(settings.service));
    open.delete(connection);
    try {
      await acceptor.step(token);
    } catch (error) {
      if (!acceptor.contextComplete && acceptor.response) {
        open.set(connection, acceptor);
        throw new NegotiateError(acceptor.response);
      }
      log.info({ reason: (error as Error).message }, 'Kerberos ticket refused');
      throw new NegotiateError(REJECT);
    }
    if (!acceptor.contextComplete || !acceptor.username) throw new NegotiateError(REJECT);
    return { name: acceptor.username, proof: acceptor.response };
  }

  return {
    challenge: 'Negotiate',
    async prepare() {
      kerberos = await loadKerberos(settings, importPackage);
    },
    async signIn(request) {
      const authorization = authorizationOf(request);
      if (authorization?.scheme !== 'negotiate') return null;
      const token = authorization.value;
      if (!isToken(token)) throw new NegotiateError(REJECT);
      const { name, proof } = await inTurn(() => accept(token, request.connection));
      const principal = await userOf(settings, name, request.address);
      if (!principal) throw new NegotiateError(REJECT);
      if (proof) request.setHeader?.('www-authenticate', `Negotiate ${proof}`);
      return { ...plain, principal, method: 'KERBEROS' };
    },
  };
}

/** Whole base64 and nothing else, of a bounded length: the native decoder is given nothing that it could stumble over. */
function isToken(text: string): boolean {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return isBase64 && text.length <= MAX_TOKEN_LENGTH;
}

async function userOf(settings: KerberosSettings, principal: string, address: string | null) {
  const at = principal.lastIndexOf('@');
  const [name, realm] = [principal.slice(0, at), principal.slice(at + 1)];
  // A backslash stands before a character that means something else: no name of ours.
  if (at < 1 || !settings.realms.includes(realm) || name.includes('\\')) {
    log.info({ realm }, 'Kerberos ticket of another realm refused');
    return null;
  }
  const { tenant, usernameSuffix, createUsers } = settings;
  // Principals of machines and services have a slash; such a user is made by hand.
  const role = name.includes('/') ? null : (createUsers?.role ?? null);
  const username = `${name}${usernameSuffix}`;
  // A realm's names are given out by its administrators.
  const outside = { tenant, username, name: null, role, source: realm, address, linksLocalUsers: true };
  return await findOutsideUser(outside);
}

/**
 * The package, which only who uses Kerberos installs, with the service's keys tried.
 *
 * @throws ConfigurationError
 */
async function loadKerberos(
  { service, keytab }: KerberosSettings,
  importPackage: ImportPackage,
): Promise<Kerberos> {
  // The Kerberos library reads the path from the environment.
  setVariable('KRB5_KTNAME', `FILE:${resolve(keytab)}`);
  const { default: kerberos } = await importPackage().catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(
      error.code === 'ERR_MODULE_NOT_FOUND'
        ? 'KERBEROS_SERVICE requires the package kerberos. Run: npm install --no-save --save-prod kerberos@7.0.0'
        : `The package kerberos cannot be loaded: ${error.message}`,
    );
  });
  try {
    await kerberos.initializeServer(service);
  } catch (error) {
    throw new ConfigurationError(
      `KERBEROS_KEYTAB: cannot read a key for ${service}: ${(error as Error).message}`,
    );
  }
  return kerberos;
}

type ImportPackage = () => Promise<{ readonly default: Kerberos }>;

const importKerberos: ImportPackage = () => {
  // A variable, since the compiler would look for the package.
  const name: string = 'kerberos';
  return import(name);
};
