import { z } from 'zod';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isSafeUrl } from '../../platform/safe-url.ts';
import { isStorable } from '../../platform/text.ts';

/** The settings of an identity provider: what each one is if it is left out, and what it may be. */

export const usernameClaims = ['preferred_username', 'email', 'sub'] as const;
export type UsernameClaim = (typeof usernameClaims)[number];

const MAX_TEXT = 255;
const MAX_SECRET = 1024;
const MAX_GROUPS = 100;

const text = (most = MAX_TEXT) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(most, `must have at most ${most} characters`)
    .refine(isStorable, 'must not contain characters that cannot be stored');

const settings = z.object({
  name: text(100).refine((name) => name.trim() === name, 'must not begin or end with a space'),
  /** Discovery finds everything else. Source: OpenID Connect Discovery 1.0 §4. */
  issuer: text(500)
    .refine(isSafeUrl, 'must be an https URL, or http on this machine')
    .refine((url) => !/[?#]/.test(url), 'must not have a query or a fragment'),
  clientId: text(),
  scopes: z
    .array(text().refine((scope) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope), 'must be one scope'))
    .max(20, 'must have at most 20 entries')
    .transform((scopes) => [...new Set(['openid', ...scopes])]),
  usernameClaim: z.enum(usernameClaims),
  groupsClaim: text(100).nullable(),
  newUserRole: z.enum(['USER', 'GUEST'], 'must be USER or GUEST').nullable(),
  linksByPassword: z.boolean(),
  isEnabled: z.boolean(),
});

/** A value of the groups claim, and the group here whose members its people are. */
export interface GroupRule {
  readonly value: string;
  readonly groupId: string;
}

export type ProviderSettings = z.infer<typeof settings>;

/** @throws InvalidArgumentError with all problems. */
export function readProviderSettings(given: unknown, path: readonly string[]): ProviderSettings {
  const { success, data, error } = settings.safeParse(given);
  if (success) return data;
  throw new InvalidArgumentError(
    error.issues.map((issue) => ({
      path: [...path, ...issue.path.map(String)],
      code: 'InvalidValue',
      message: issue.message,
    })),
  );
}

/** @throws InvalidArgumentError */
export function requireGoodSecret(secret: string, path: readonly string[]): void {
  const { success, error } = text(MAX_SECRET).safeParse(secret);
  if (!success) throw InvalidArgumentError.of(path, error.issues[0]?.message ?? 'is not valid');
}

/** @throws InvalidArgumentError */
export function requireGoodRules(
  rules: readonly Pick<GroupRule, 'value'>[],
  groupsClaim: string | null,
  path: readonly string[],
): void {
  if (rules.length > MAX_GROUPS)
    throw InvalidArgumentError.of(path, `must have at most ${MAX_GROUPS} entries`);
  if (rules.length > 0 && groupsClaim === null)
    throw InvalidArgumentError.of(path, 'needs groupsClaim, the claim that has the values');
  for (const [index, { value }] of rules.entries()) {
    const { success, error } = text().safeParse(value);
    if (!success)
      throw InvalidArgumentError.of([...path, String(index), 'value'], error.issues[0]?.message ?? '');
  }
}
