import { resolve } from 'node:path';
import { plain } from '../../platform/caller.ts';
import { ConfigurationError, setVariable } from '../../platform/config/environment.ts';
import { ResourceExhaustedError, UnauthenticatedError } from '../../platform/errors.ts';
import { log } from '../../platform/log.ts';
import { turns } from '../../platform/turns.ts';
import { findOutsideUser } from '../outside-users.ts';
import { authorizationOf, type SignInMethodHandler } from './method.ts';

export interface KerberosSettings {
  /** The service that tickets must be for, `HTTP@host`. Its keys are in `keytab`. */
  readonly service: string;
  readonly keytab: string;
  /** The realms whose principals can sign in. */
  readonly realms: readonly string[];
  /** The name of the tenant. */
  readonly tenant: string;
  /** Appended to the name of a principal. */
  readonly usernameSuffix: string;
  readonly createUsers: { readonly role: 'USER' | 'GUEST' } | null;
}

/** The parts of the package `kerberos` that we use. The package is optional, so its types may not be installed. */
interface Kerberos {
  initializeServer(service: string): Promise<Acceptor>;
}
interface Acceptor {
  readonly username: string | null;
  /** The text to send to the other side; null for none. */
  readonly response: string | null;
  readonly contextComplete: boolean;
  /** @throws Error if the token is not valid, and also if the negotiation needs another step. */
  step(token: string): Promise<string | null>;
}

/** A SPNEGO reply that says "reject". Source: Armada's Kerberos authentication. */
const REJECT = 'oQcwBaADCgEC';

/** The length in base64 of a ticket with the groups of a large directory. */
const MAX_TOKEN_LENGTH = 64_000;
/** How long the headers of a request may be if such tickets are accepted. */
export const MAX_HEADER_BYTES = 80_000;

/** Each call needs a thread of the pool and reads the keytab. */
const inTurn = turns(
  2,
  100,
  () => new ResourceExhaustedError('too many tickets are being checked, try again'),
);

/** A refusal that also tells the client about the negotiation. */
export class NegotiateError extends UnauthenticatedError {
  /** Replaces the challenge `Negotiate`. */
  readonly challenge: string;

  constructor(token: string) {
    super('the credentials are not valid');
    this.challenge = `Negotiate ${token}`;
  }
}

/**
 * `Authorization: Negotiate`, with a Kerberos ticket in SPNEGO (RFC 4559). A ticket proves a principal, `name@REALM`.
 * The realm must be configured, and the name with the suffix is the user name. The Kerberos library refuses a ticket
 * that it has seen before, so each sign-in needs a new ticket; clients that send many requests get a token with
 * `login`.
 *
 * Groups in a ticket (the PAC of Active Directory) are not read, because the library does not show them.
 */
export function negotiate(
  settings: KerberosSettings,
  importPackage: ImportPackage = importKerberos,
): SignInMethodHandler {
  let kerberos: Kerberos | null = null;
  /** Negotiations that need another step, by their connection. Each connection has at most one. */
  const open = new WeakMap<object, Acceptor>();

  /** @returns the principal, and the proof of our identity to send back. @throws NegotiateError */
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

/** Whether a text is complete base64 of limited length. The native decoder must get nothing that could confuse it. */
function isToken(text: string): boolean {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return isBase64 && text.length <= MAX_TOKEN_LENGTH;
}

async function userOf(settings: KerberosSettings, principal: string, address: string | null) {
  const at = principal.lastIndexOf('@');
  const [name, realm] = [principal.slice(0, at), principal.slice(at + 1)];
  // A backslash escapes the next character. Our user names never contain one.
  if (at < 1 || !settings.realms.includes(realm) || name.includes('\\')) {
    log.info({ realm }, 'Kerberos ticket of another realm refused');
    return null;
  }
  const { tenant, usernameSuffix, createUsers } = settings;
  // Principals of machines and services contain a slash, which is in no user name.
  const role = createUsers?.role ?? null;
  const username = `${name}${usernameSuffix}`;
  // The administrators of the realm give out its names.
  const outside = { tenant, username, name: null, role, source: realm, address, linksLocalUsers: true };
  return await findOutsideUser(outside);
}

/**
 * Loads the package, which is installed only for Kerberos, and tries the keys of the service.
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
  // In a variable, because otherwise the compiler would look for the package.
  const name: string = 'kerberos';
  return import(name);
};
