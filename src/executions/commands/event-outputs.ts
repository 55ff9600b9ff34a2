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

/**
 * The outputs of an event, checked with the interface of what it is about.
 *
 * @param variables  null if the interface is not known: then the outputs must be literals.
 * @returns null if the event brings none.
 * @throws ResourceExhaustedError if they are too large; InvalidArgumentError; NotFoundError for a file of another
 * project or one that was not uploaded.
 */
export async function readEventOutputs(
  tx: Tx,
  project: { readonly tenantId: string; readonly projectId: string },
  variables: Readonly<Record<string, Variable>> | null,
  given: GivenOutputs,
): Promise<LiteralMap | null> {
  if (given.outputs == null && given.outputLiterals == null) return null;
  const place = new Place(['input']);
  const outputs = readGivenInputs(
    { plain: given.outputs, literals: given.outputLiterals },
    { plain: 'outputs', literals: 'outputLiterals' },
    variables ?? typesOf(given.outputLiterals),
    place,
  );
  place.problems.throwIfAny();
  const limit = controlPlaneConfig.outputLimitBytes;
  if (literalBytes(outputs) > limit)
    throw new ResourceExhaustedError(`the outputs of an event must take at most ${limit} bytes as literals`);
  const missing = await missingFiles(project, outputs, tx);
  if (missing.length > 0) throw new NotFoundError('file', firstFew(missing), ['input', 'outputs']);
  return outputs;
}

/** The types that literals have by themselves. */
function typesOf(literals: unknown): Record<string, Variable> {
  const place = new Place(['input', 'outputLiterals']);
  const read = mapOf(literal)(literals ?? {}, place);
  if (read === undefined) throw new InvalidArgumentError(place.problems.all);
  return Object.fromEntries(Object.entries(read).map(([name, one]) => [name, { type: typeOfLiteral(one) }]));
}
