import { DomainError } from '../../platform/errors.ts';
import type { Difference } from './difference.ts';

/** A version that is registered with another content. A registered version never changes. */
export class DifferentStructureError extends DomainError {
  readonly code = 'INVALID_ARGUMENT';
  readonly existingId: string;
  /** Empty if the caller may not read the version. */
  readonly differences: readonly Difference[];

  constructor(name: string, existingId: string, differences: readonly Difference[]) {
    super(`${name} is already registered with a different structure`, { path: ['input', 'key', 'version'] });
    this.existingId = existingId;
    this.differences = differences;
  }
}
