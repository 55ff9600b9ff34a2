import type { Problem } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';

const MIN_NAME = 3;
const MAX_NAME = 255;
/** Of the guest user, who is declared in the server's configuration. */
export const GUESTS_TENANT = 'guests';

/** What is wrong with a tenant's name. Source: ClearML's companies; `tenant/user` keeps the slash for signing in. */
export function tenantNameFault(name: string): string | null {
  if (name.trim() !== name || name.trim().length < MIN_NAME)
    return `a tenant's name has at least ${MIN_NAME} characters, and no space around it`;
  if (name.length > MAX_NAME) return `more than ${MAX_NAME} characters`;
  if (/[:/\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name))
    return 'a name of a tenant has no colon, slash or control characters';
  return null;
}

/** The same for a name that somebody asks for. */
export function tenantNameProblems(name: string): Problem[] {
  const fault = tenantNameFault(name);
  return fault === null ? [] : [{ path: ['input', 'name'], code: 'InvalidValue', message: fault }];
}

/** Names that nobody may give: the server keeps them for itself. */
export const isReservedTenantName = (name: string): boolean => nameKey(name) === GUESTS_TENANT;
