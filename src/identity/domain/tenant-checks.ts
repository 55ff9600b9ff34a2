import { nameFault } from '../../authorization/domain/names.ts';
import type { Problem } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';

const MIN_NAME = 3;
/** Of the guest user, who is declared in the server's configuration. */
export const GUESTS_TENANT = 'guests';

/** What is wrong with a tenant's name. Source: ClearML's companies; `tenant/user` keeps the slash for signing in. */
export function tenantNameFault(name: string): string | null {
  const isShort = name.trim().length < MIN_NAME;
  return isShort ? `the name of a tenant must have at least ${MIN_NAME} characters` : nameFault(name);
}

/** The same for a name that somebody asks for. */
export function tenantNameProblems(name: string): Problem[] {
  const fault = tenantNameFault(name);
  return fault === null ? [] : [{ path: ['input', 'name'], code: 'InvalidValue', message: fault }];
}

/** Names that nobody may give: the server keeps them for itself. */
export const isReservedTenantName = (name: string): boolean => nameKey(name) === GUESTS_TENANT;
