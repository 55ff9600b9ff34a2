import { CliError } from '../cli-error.ts';
import type { Ask } from '../client.ts';
import { findLaunchPlanDocument, findWorkflowDocument } from '../documents.ts';
import { type PackageEntity, referenceText } from '../flyte/package-entities.ts';
import { type Registered, registerEntity } from './register-entity.ts';
import {
  type RegisterOptions,
  type RegisterResult,
  type Registration,
  registrationOf,
} from './registration.ts';

/**
 * Asks the server what a registration of these entities would do, and registers nothing. An entity that refers to new
 * ones of the same package is checked only when it is registered: the server does not know those yet.
 *
 * @returns the entities without outcomes if the server does not answer, or if it wants a sign-in and there is none.
 * @throws CliError for all other errors of the server.
 */
export async function comparePackage(
  ask: Ask,
  entities: readonly PackageEntity[],
  { onStep, isSignedIn }: Pick<RegisterOptions, 'onStep' | 'isSignedIn'>,
): Promise<RegisterResult> {
  const fresh = new Set<string>();
  const registrations: Registration[] = [];
  const errors: CliError[] = [];
  try {
    for (const [index, entity] of entities.entries()) {
      onStep(index, entities.length, `${entity.kind} ${entity.key.name}`);
      const { outcome, error, isUnchecked } = await compareOne(ask, entity, fresh);
      if (outcome === 'new') fresh.add(referenceText(entity));
      if (error) errors.push(error);
      const { notes, ...registration } = registrationOf(entity, outcome);
      registrations.push({ ...registration, notes: isUnchecked ? [...notes, unchecked] : notes });
    }
  } catch (error) {
    if (!(error instanceof CliError) || !isOutOfReach(error, isSignedIn)) throw error;
    return {
      registrations: entities.map((entity) => registrationOf(entity)),
      error: null,
      notCompared: error,
    };
  }
  return { registrations, error: together(errors) };
}

const unchecked = { path: 'its content', what: 'unchecked' } as const;

const isOutOfReach = ({ code }: CliError, isSignedIn: boolean) =>
  code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED' || (code === 'UNAUTHENTICATED' && !isSignedIn);

async function compareOne(
  ask: Ask,
  entity: PackageEntity,
  fresh: ReadonlySet<string>,
): Promise<Omit<Registered, 'lacksReference'> & { readonly isUnchecked: boolean }> {
  const { lacksReference, ...compared } = await registerEntity(ask, entity, { dryRun: true });
  const needsFresh = entity.references.some((reference) => fresh.has(referenceText(reference)));
  if (!lacksReference || !needsFresh) return { ...compared, isUnchecked: false };
  // What is registered refers to other versions than these, which do not exist.
  if (!(await isRegistered(ask, entity))) return { outcome: 'new', error: null, isUnchecked: true };
  const { kind, key } = entity;
  const message = `${kind} ${key.name} version ${key.version} is registered, and refers to other versions`;
  return { outcome: 'different', error: new CliError('INVALID_ARGUMENT', message), isUnchecked: false };
}

async function isRegistered(ask: Ask, { kind, key }: PackageEntity): Promise<boolean> {
  try {
    const document = kind === 'workflow' ? findWorkflowDocument : findLaunchPlanDocument;
    return (await ask(document, { key })).found != null;
  } catch (error) {
    if (error instanceof CliError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

/** One error for all entities. Its exit code says that the comparison has found something. */
function together(errors: readonly CliError[]): CliError | null {
  const [first] = errors;
  if (first === undefined) return null;
  const message = `${errors.length} of the entities cannot be registered like this`;
  const problems = errors.flatMap((error) => [error.message, ...error.problems.map((one) => `  ${one}`)]);
  return new CliError(first.code, message, {
    problems,
    exitCode: 9,
    ...(first.hint && { hint: first.hint }),
  });
}
