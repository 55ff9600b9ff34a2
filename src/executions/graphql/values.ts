import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import { builder } from '../../graphql/builder.ts';
import type { WorkErrorColumns } from '../../platform/work-error.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { toPlain } from '../../values/plain-values.ts';
import { urisIn } from '../../values/uris.ts';

/** What several nouns of this folder share: values, lengths of time, rows of lists. */

const MAX_LISTED_MESSAGE_BYTES = 100;

/** The row as lists show it: its error's message cut to 100 bytes, still valid text. */
export function listed<Row extends WorkErrorColumns>(row: Row): Row {
  if (row.errorMessage === null || Buffer.byteLength(row.errorMessage) <= MAX_LISTED_MESSAGE_BYTES)
    return row;
  const bytes = Buffer.from(row.errorMessage).subarray(0, MAX_LISTED_MESSAGE_BYTES);
  return {
    ...row,
    errorMessage: new TextDecoder().decode(bytes, { stream: true }),
  };
}

/** How long it took; null until it has ended, and for what ended without a start. */
export function durationOf(row: { startedAt: Date | null; endedAt: Date | null }): number | null {
  if (!row.startedAt || !row.endedAt) return null;
  return row.endedAt.getTime() - row.startedAt.getTime();
}

/** Values, and the project whose files they may name; without a project they name none. */
export interface Data {
  readonly inputs: LiteralMap | null;
  readonly outputs: LiteralMap | null;
  readonly tenantId?: string;
  readonly projectId?: string;
}

/** Where no values are stored. */
export const noData: Data = { inputs: null, outputs: null };

const plain = (values: LiteralMap | null) =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([name, literal]: [string, Literal]) => [name, toPlain(literal)]),
  );

export const DataType = builder.objectRef<Data>('ExecutionData').implement({
  description:
    'Inputs and outputs of an execution, a node or an attempt, as plain values and as literals. Outputs are empty until it has succeeded.',
  fields: (t) => ({
    inputs: t.field({
      type: 'JSON',
      description: 'An object from the name of each input to its plain value: `{"rows": 100}`.',
      resolve: (data) => plain(data.inputs),
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description: "The same inputs as Flyte's literals: an object from name to Literal.",
      resolve: (data) => data.inputs ?? {},
    }),
    outputs: t.field({
      type: 'JSON',
      description: 'An object from the name of each output to its plain value.',
      resolve: (data) => plain(data.outputs),
    }),
    outputLiterals: t.field({
      type: 'JSON',
      description: "The same outputs as Flyte's literals: an object from name to Literal.",
      resolve: (data) => data.outputs ?? {},
    }),
    files: t.field({
      type: [SignedBlobType],
      extensions: { listSize: 10 },
      description:
        'The files stored on this server that inputs and outputs name, each with an address to fetch it from.',
      resolve: ({ inputs, outputs, tenantId = '', projectId = null }, _args, { loaders }) =>
        signedBlobs({ tenantId, projectId }, [...urisIn(inputs ?? {}), ...urisIn(outputs ?? {})], loaders),
    }),
  }),
});
