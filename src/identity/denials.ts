import { PermissionDeniedError } from '../platform/errors.ts';

/** Refusals about people that several commands use. Each says what would be required. */

export const aboveCaller = () => new PermissionDeniedError('this user has a higher role than you');

export const otherTenants = () =>
  new PermissionDeniedError('other tenants require the role ROOT, or a SYSTEM account of the first tenant');

export const keysAboveCaller = () =>
  new PermissionDeniedError(
    'you cannot manage access keys of a user with a higher role, except executor keys of service accounts',
  );
