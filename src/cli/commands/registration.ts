import type { CliError } from '../cli-error.ts';
import type { KeyParts, Note, PackageEntity } from '../flyte/package-entities.ts';

export type Outcome = 'new' | 'unchanged' | 'different' | 'refused' | 'not tried';

export interface Registration {
  readonly kind: PackageEntity['kind'];
  readonly name: string;
  readonly version: string;
  /** Undefined in a dry run that has asked no server. */
  readonly outcome?: Outcome;
  readonly notes: readonly Note[];
}

export interface RegisterOptions extends KeyParts {
  /** Whether nothing is registered: `server` asks what would happen, `offline` asks no server. */
  readonly dryRun: 'server' | 'offline' | null;
  /** Whether the calls have a credential. */
  readonly isSignedIn: boolean;
  /** Called before each step with what it is about. */
  onStep(done: number, all: number, text: string): void;
}

/** What happened to each entity, and the error with which the registration ends. */
export interface RegisterResult {
  readonly registrations: readonly Registration[];
  readonly error: CliError | null;
  /** Why a dry run has compared nothing, if the server could not be asked. */
  readonly notCompared?: CliError;
}

export const registrationOf = ({ kind, key, notes }: PackageEntity, outcome?: Outcome): Registration => ({
  kind,
  name: key.name,
  version: key.version,
  ...(outcome && { outcome }),
  notes,
});
