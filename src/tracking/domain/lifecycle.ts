import { FailedPreconditionError, PermissionDeniedError } from '../../platform/errors.ts';

/** What stands in the way of a change, whatever level somebody has. */
export interface Standing {
  readonly isDeleted: boolean;
  readonly publicAt: Date | null;
}

/**
 * Refuses to change what everyone reads. The rule has asked already; this is for what was published since, and is asked
 * while the row is locked.
 *
 * @throws PermissionDeniedError.
 */
export function requirePrivate(kind: string, { publicAt }: { readonly publicAt: Date | null }): void {
  if (publicAt) throw new PermissionDeniedError(`a public ${kind} cannot be changed; make it private first`);
}

/** @throws PermissionDeniedError while it is public, FailedPreconditionError while it is deleted. */
export function requireChangeable(kind: string, standing: Standing): void {
  requirePrivate(kind, standing);
  if (standing.isDeleted) throw new FailedPreconditionError(`the ${kind} is deleted`, { current: 'DELETED' });
}
