import { CliError } from '../cli-error.ts';
import type { Ask } from '../client.ts';
import { createLaunchPlanDocument, createTaskDocument, createWorkflowDocument } from '../documents.ts';
import { entitiesOf, type KeyParts, type Note, type PackageEntity } from '../flyte/package-entities.ts';
import { readPackage } from '../flyte/package-files.ts';

export type Outcome = 'new' | 'unchanged' | 'different' | 'refused' | 'not tried';

export interface Registration {
  readonly kind: PackageEntity['kind'];
  readonly name: string;
  readonly version: string;
  /** Undefined in a dry run. */
  readonly outcome?: Outcome;
  readonly notes: readonly Note[];
}

export interface RegisterOptions extends KeyParts {
  readonly dryRun: boolean;
  /** Called before each step with what it is about. */
  onStep(done: number, all: number, text: string): void;
}

/** What happened to each entity, and the error that ended the registration. */
export interface RegisterResult {
  readonly registrations: readonly Registration[];
  readonly error: CliError | null;
}

/**
 * Registers all that a package of Flyte's tools holds, in its order, and ends with the first refusal: what follows may
 * need what was refused. A version that exists and is identical counts as success, so the same package can be
 * registered again.
 *
 * @throws CliError if the package cannot be read or the server does not answer.
 */
export async function register(ask: Ask, path: string, options: RegisterOptions): Promise<RegisterResult> {
  const entities = entitiesOf(await readPackage(path), options);
  if (options.dryRun) return { registrations: entities.map((entity) => registrationOf(entity)), error: null };

  const registrations: Registration[] = [];
  let error: CliError | null = null;
  for (const [index, entity] of entities.entries()) {
    let outcome: Outcome = 'not tried';
    if (error === null) {
      options.onStep(index, entities.length, `${entity.kind} ${entity.key.name}`);
      ({ outcome, error } = await registerOne(ask, entity));
    }
    registrations.push(registrationOf(entity, outcome));
  }
  return { registrations, error };
}

const registrationOf = ({ kind, key, notes }: PackageEntity, outcome?: Outcome): Registration => ({
  kind,
  name: key.name,
  version: key.version,
  ...(outcome && { outcome }),
  notes,
});

type Created = Awaited<ReturnType<typeof create>>['created'];

async function registerOne(
  ask: Ask,
  entity: PackageEntity,
): Promise<{ outcome: Outcome; error: CliError | null }> {
  const { created } = await create(ask, entity);
  switch (created?.__typename) {
    case 'CreateTaskPayload':
    case 'CreateWorkflowPayload':
    case 'CreateLaunchPlanPayload':
      return { outcome: 'new', error: null };
    case 'AlreadyExistsError':
      return { outcome: 'unchanged', error: null };
    case 'DifferentStructureError':
      return { outcome: 'different', error: differenceError(entity, created.differences) };
    default:
      return { outcome: 'refused', error: refusalOf(entity, created) };
  }
}

function create(ask: Ask, { kind, key, flyte }: PackageEntity) {
  const variables = { input: { key, flyte } };
  if (kind === 'task') return ask(createTaskDocument, variables);
  if (kind === 'workflow') return ask(createWorkflowDocument, variables);
  return ask(createLaunchPlanDocument, variables);
}

interface Difference {
  readonly path: readonly string[];
  readonly oldValue?: string | null;
  readonly newValue?: string | null;
}

/** Its exit code is 1: the command was used correctly, and the server is well. */
const differenceError = ({ kind, key }: PackageEntity, differences: readonly Difference[]) =>
  new CliError(
    'INVALID_ARGUMENT',
    `${kind} ${key.name} version ${key.version} is registered with another content`,
    {
      problems: differences.map(
        ({ path, oldValue, newValue }) =>
          `${path.join('.')}: ${oldValue ?? 'absent'} → ${newValue ?? 'absent'}`,
      ),
      hint: 'a registered version never changes: give another --version',
      exitCode: 1,
    },
  );

function refusalOf({ kind, key }: PackageEntity, created: Created): CliError {
  const code = created && 'code' in created ? created.code : 'INTERNAL';
  const message = created && 'message' in created ? created.message : 'the server gave no result';
  const problems =
    created?.__typename === 'InvalidArgumentError'
      ? created.problems.map((problem) => `${problem.path.join('.')}: ${problem.message}`)
      : [];
  return new CliError(code, `${kind} ${key.name} was refused: ${message}`, { problems });
}
