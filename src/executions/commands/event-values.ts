import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, ResourceExhaustedError } from '../../platform/errors.ts';
import { readGivenInputs } from '../../values/given-inputs.ts';
import type { Variable } from '../../values/literal-types.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { Place } from '../../values/problem-list.ts';
import { literal } from '../../values/read-literals.ts';
import { mapOf } from '../../values/readers.ts';
import { typeOfLiteral } from '../../values/type-of-literal.ts';
import { literalBytes } from '../domain/limits.ts';
import { firstFew, missingFiles } from './check-files.ts';

/** Outputs as an event brings them, some as plain values and some as literals. */
export interface GivenOutputs {
  readonly outputs?: unknown;
  readonly outputLiterals?: unknown;
}

/** The same for inputs. */
export interface GivenInputs {
  readonly inputs?: unknown;
  readonly inputLiterals?: unknown;
}

interface FileOwner {
  readonly tenantId: string;
  readonly projectId: string;
}

type Variables = Readonly<Record<string, Variable>>;

/**
 * The outputs of an event, checked with the interface of what it is about.
 *
 * @param variables  null if the interface is not known: then the outputs must be literals.
 * @returns null if the event brings none.
 * @throws ResourceExhaustedError if they are too large; InvalidArgumentError; NotFoundError for a file of another
 * project or one that was not uploaded.
 */
export const readEventOutputs = (
  project: FileOwner,
  variables: Variables | null,
  { outputs, outputLiterals }: GivenOutputs,
  tx?: Tx,
): Promise<LiteralMap | null> =>
  readValues(project, variables, { plain: outputs, literals: outputLiterals }, 'output', tx);

/** The same for inputs. */
export const readEventInputs = (
  project: FileOwner,
  variables: Variables | null,
  { inputs, inputLiterals }: GivenInputs,
  tx?: Tx,
): Promise<LiteralMap | null> =>
  readValues(project, variables, { plain: inputs, literals: inputLiterals }, 'input', tx);

async function readValues(
  project: FileOwner,
  variables: Variables | null,
  given: { readonly plain: unknown; readonly literals: unknown },
  noun: 'input' | 'output',
  tx: Tx | undefined,
): Promise<LiteralMap | null> {
  if (given.plain == null && given.literals == null) return null;
  const place = new Place(['input']);
  const names = { plain: `${noun}s`, literals: `${noun}Literals` };
  const types = variables ?? typesOf(given.literals, names.literals);
  const values = readGivenInputs(given, names, types, place);
  place.problems.throwIfAny();
  const limit = controlPlaneConfig.outputLimitBytes;
  if (literalBytes(values) > limit)
    throw new ResourceExhaustedError(`the ${noun}s of an event must take at most ${limit} bytes as literals`);
  const missing = await missingFiles(project, values, tx);
  if (missing.length > 0) throw new NotFoundError('file', firstFew(missing), ['input', names.plain]);
  return values;
}

/** The types that literals have by themselves. */
function typesOf(literals: unknown, name: string): Record<string, Variable> {
  const place = new Place(['input', name]);
  const read = mapOf(literal)(literals ?? {}, place);
  if (read === undefined) throw new InvalidArgumentError(place.problems.all);
  return Object.fromEntries(Object.entries(read).map(([key, one]) => [key, { type: typeOfLiteral(one) }]));
}
