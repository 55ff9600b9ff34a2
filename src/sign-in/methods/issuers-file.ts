import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigurationError } from '../../platform/config/environment.ts';
import { isSafeUrl } from '../../platform/safe-url.ts';

/** The outside issuers whose tokens are accepted. The file of OIDC_ISSUERS_FILE is a JSON list. */

/** Signatures that only the issuer can make. This excludes HMAC, whose key both sides have, and `none`. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

const claim = z.string().min(1).max(100);

const issuer = z
  .strictObject({
    /** `iss` must equal this exactly. */
    issuer: z.string().min(1).max(500),
    /** The URL of its keys; if left out, its discovery document has it. */
    jwksUri: z.string().refine(isSafeUrl, 'must be an https URL, or http on this machine').optional(),
    /** `aud` must contain one of these. */
    audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(20)]).optional(),
    /** Instead of `audience`: accepts tokens for any audience. */
    anyAudience: z.literal(true).optional(),
    algorithms: z.array(z.enum(algorithms)).min(1).default(['RS256', 'ES256', 'EdDSA', 'PS256']),
    /** The name of its users' tenant. */
    tenant: z.string().min(1).default('default'),
    /** The claim with the user name. `email` counts only if `email_verified` is true. */
    usernameClaim: z.enum(['sub', 'preferred_username', 'email']).default('sub'),
    /** The claim with names of our groups. With this token, the user is also a member of these groups. */
    groupsClaim: claim.optional(),
    /**
     * Whether `scope` limits the token to the permissions that it names. If it names none of them, the token may do
     * nothing.
     */
    scopesFromClaim: z.boolean().default(false),
    /** Creates unknown users; without this they are refused. */
    createUsers: z.strictObject({ role: z.enum(['USER', 'GUEST']) }).optional(),
    /**
     * Whether it may sign in users who were created here, by their names. Only for issuers where people cannot choose
     * their names.
     */
    linkLocalUsers: z.boolean().default(false),
    /** How far its clock may differ from ours. */
    clockToleranceSeconds: z.number().int().min(0).max(60).default(5),
  })
  .refine(({ audience, anyAudience }) => (audience === undefined) === (anyAudience === true), {
    message: 'needs either audience or anyAudience: true',
    path: ['audience'],
  })
  .refine(({ createUsers, linkLocalUsers }) => createUsers !== undefined || linkLocalUsers, {
    message: 'needs createUsers or linkLocalUsers: true, otherwise nobody could sign in',
    path: ['createUsers'],
  })
  .refine(({ issuer: named, jwksUri }) => jwksUri !== undefined || isSafeUrl(named), {
    message: 'must be an https URL (or http on this machine) if jwksUri is left out',
    path: ['issuer'],
  })
  .refine(({ issuer: named }) => named !== 'slipway', {
    message: 'must not be slipway, which is the issuer of our own tokens',
    path: ['issuer'],
  });

export type IssuerSettings = z.infer<typeof issuer>;

const issuers = z
  .array(issuer)
  .max(50)
  .refine(
    (list) => new Set(list.map((one) => one.issuer)).size === list.length,
    'the same issuer is listed twice',
  );

/** @throws ConfigurationError that names the file and lists all problems. */
export async function readIssuers(file: string): Promise<IssuerSettings[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ConfigurationError(`OIDC_ISSUERS_FILE cannot be read: ${error.message}`);
  });
  return parseIssuers(text, file);
}

/** @throws ConfigurationError */
export function parseIssuers(text: string, file: string): IssuerSettings[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
  const result = issuers.safeParse(json);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the list'}: ${message}`,
  );
  throw new ConfigurationError(`${file} is wrong.\n  ${faults.join('\n  ')}`);
}
