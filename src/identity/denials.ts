import { PermissionDeniedError } from '../platform/errors.ts';

/** Refusals about people, which several commands give: each says what it would take. */

export const aboveCaller = () => new PermissionDeniedError('the role of this user is above yours');

export const otherTenants = () =>
  new PermissionDeniedError(
    'other tenants are for the role ROOT, and for SYSTEM accounts of the first tenant',
  );

export const keysAboveCaller = () =>
  new PermissionDeniedError(
    'the access keys of a user whose role is above yours are not yours to manage, except keys of services for their work',
  );
