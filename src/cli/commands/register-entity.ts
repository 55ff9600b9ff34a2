import { CliError } from '../cli-error.ts';
import type { Ask } from '../client.ts';
import { createLaunchPlanDocument, createTaskDocument, createWorkflowDocument } from '../documents.ts';
import type { PackageEntity } from '../flyte/package-entities.ts';

/** What became of a registration, or what would. */
export interface Registered {
  readonly outcome: 'new' | 'unchanged' | 'different' | 'refused';
  readonly error: CliError | null;
  /** Whether the only reason for a refusal is that something does not exist to which the entity refers. */
  readonly lacksReference: boolean;
}

type Created = Awaited<ReturnType<typeof create>>['created'];

/** Registers one entity, or only asks the server what this would do. */
export async function registerEntity(
  ask: Ask,
  entity: PackageEntity,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Registered> {
  const { created } = await create(ask, entity, dryRun);
  const ended = (outcome: Registered['outcome'], error: CliError | null = null) => ({
    ...{ outcome, error },
    lacksReference: outcome === 'refused' && isMissing(created),
  });
  switch (created?.__typename) {
    case 'CreateTaskPayload':
    case 'CreateWorkflowPayload':
    case 'CreateLaunchPlanPayload':
      return ended(created.outcome === 'NEW' ? 'new' : 'unchanged');
    case 'AlreadyExistsError':
      return ended('unchanged');
    case 'DifferentStructureError':
      return ended('different', differenceError(entity, created.differences));
    default:
      return ended('refused', refusalOf(entity, created));
  }
}

function create(ask: Ask, { kind, key, flyte }: PackageEntity, dryRun: boolean) {
  const variables = { input: { key, flyte, dryRun } };
  if (kind === 'task') return ask(createTaskDocument, variables);
  if (kind === 'workflow') return ask(createWorkflowDocument, variables);
  return ask(createLaunchPlanDocument, variables);
}

const missingCodes: ReadonlySet<string> = new Set(['TaskReferenceNotFound', 'WorkflowReferenceNotFound']);

function isMissing(created: Created): boolean {
  if (created?.__typename === 'NotFoundError') return true;
  return (
    created?.__typename === 'InvalidArgumentError' &&
    created.problems.every(({ code }) => missingCodes.has(code))
  );
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
