import { FailedPreconditionError, PermissionDeniedError } from '../../platform/errors.ts';

/** Reasons against a change, whatever the caller's level is. */
export interface Standing {
  readonly isDeleted: boolean;
  readonly publicAt: Date | null;
}

/**
 * Refuses to change a public object. The rule has already checked this; this check is for an object that was published
 * since, and happens while the row is locked.
 *
 * @throws PermissionDeniedError
 */
export function requirePrivate(kind: string, { publicAt }: { readonly publicAt: Date | null }): void {
  if (publicAt) throw new PermissionDeniedError(`a public ${kind} cannot be changed; make it private first`);
}

/** @throws PermissionDeniedError while it is public; FailedPreconditionError while it is deleted. */
export function requireChangeable(kind: string, standing: Standing): void {
  requirePrivate(kind, standing);
  if (standing.isDeleted) throw new FailedPreconditionError(`the ${kind} is deleted`, { current: 'DELETED' });
}
