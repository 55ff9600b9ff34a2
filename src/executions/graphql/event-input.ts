import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { ErrorKindEnum } from '../../graphql/error-kind.ts';
import { addressText } from '../../platform/address-text.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import type { ObjectKind } from '../../platform/object-kinds.ts';
import { isRecord, type JsonObject } from '../../values/json.ts';
import type { ExecutionBy, ExecutionRow } from '../store/reads.ts';

/** The parts that the three mutations of an engine from outside share. */

export const eventErrors = {
  types: [
    InvalidArgumentError,
    NotFoundError,
    AlreadyExistsError,
    FailedPreconditionError,
    ResourceExhaustedError,
  ],
};

export const EventErrorInput = builder.inputType('EventErrorInput', {
  description: 'Why an execution, a node or an attempt failed.',
  fields: (t) => ({
    code: t.string({ required: true, description: 'The kind of error, a fixed word for programs.' }),
    message: t.string({ required: true, description: 'What happened, for people.' }),
    kind: t.field({
      type: ErrorKindEnum,
      defaultValue: 'UNKNOWN',
      description: 'Whether the cause is the work itself or the system that runs it.',
    }),
  }),
});

export const errorOf = (error: typeof EventErrorInput.$inferInput | null | undefined) =>
  error ? { code: error.code, message: error.message, kind: error.kind ?? ('UNKNOWN' as const) } : null;

export const producer = {
  defaultValue: '',
  description:
    'The name of the engine. The event QUEUED of an execution with a name gives the execution to that engine; after that, events with another name are refused. Empty, or `propeller`: any engine.',
};
export const occurredAt = {
  type: 'DateTime' as const,
  required: true as const,
  description: 'When it happened. It is kept to the millisecond.',
};
export const outputs = {
  type: 'JSON' as const,
  description:
    'The outputs as plain values, as an object with the name of each output. Only with a final phase.',
};
export const outputLiterals = {
  type: 'JSON' as const,
  description: "The outputs as Flyte's literals. Give each output here or in `outputs`, but not in both.",
};
export const outputUri = {
  description:
    'The address of the outputs, if the engine keeps them: at most 2,000 characters, in place of `outputs` and `outputLiterals`.',
};

export const inputs = {
  type: 'JSON' as const,
  description:
    'The inputs as plain values, as an object with the name of each input. The first ones are kept; all attempts of a node have the same inputs.',
};
export const inputLiterals = {
  type: 'JSON' as const,
  description: "The inputs as Flyte's literals. Give each input here or in `inputs`, but not in both.",
};

const MAX_URI = 2_000;

interface OutputAddress {
  readonly outputUri?: string | null;
  readonly outputs?: unknown;
  readonly outputLiterals?: unknown;
}

/** The address of the outputs; null if the event brings none. Source: in Flyte, an event has either of them. */
export function outputUriOf({ outputUri: uri, outputs: plain, outputLiterals: literals }: OutputAddress) {
  if (uri == null || uri === '') return null;
  const refuse = (message: string, code?: string) =>
    InvalidArgumentError.of(['input', 'outputUri'], message, code);
  if (uri.length > MAX_URI) throw refuse(`must have at most ${MAX_URI} characters`, 'TooLarge');
  if (plain != null || literals != null) throw refuse('give either outputs or their address, but not both');
  return uri;
}

export function objectOf(value: unknown, path: readonly string[]): JsonObject {
  if (isRecord(value)) return value as JsonObject;
  throw InvalidArgumentError.of(['input', ...path], 'expected a JSON object');
}

/** The execution that the rule has found. */
export async function executionOf(by: unknown, { loaders }: Context): Promise<ExecutionRow> {
  const execution = await loaders.execution.load(by as ExecutionBy);
  if (execution) return execution;
  throw new NotFoundError('execution', addressText(by as ExecutionBy), ['input', 'execution']);
}

/** The object of an event as it is afterwards. The loader must have forgotten what it was before. */
export async function rowAfter<Row>(kind: ObjectKind, id: string, row: Promise<Row | null>): Promise<Row> {
  const found = await row;
  if (!found) throw new NotFoundError(kind, id);
  return found;
}
