import { nameFault } from '../../authorization/domain/names.ts';
import type { Problem } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';

const MIN_NAME = 3;
/** The tenant of the guest, whom the server's configuration declares. */
export const GUESTS_TENANT = 'guests';

/** The problem of a tenant's name. Source: ClearML's companies. The slash is needed for `tenant/user`. */
export function tenantNameFault(name: string): string | null {
  const isShort = name.trim().length < MIN_NAME;
  return isShort ? `the name of a tenant must have at least ${MIN_NAME} characters` : nameFault(name);
}

/** The same for a name that a caller gives. */
export function tenantNameProblems(name: string): Problem[] {
  const fault = tenantNameFault(name);
  return fault === null ? [] : [{ path: ['input', 'name'], code: 'InvalidValue', message: fault }];
}

/** Names that callers cannot give, because the server uses them itself. */
export const isReservedTenantName = (name: string): boolean => nameKey(name) === GUESTS_TENANT;
