import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import { builder } from '../../graphql/builder.ts';
import type { WorkErrorColumns } from '../../platform/work-error.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { toPlain } from '../../values/plain-values.ts';
import { urisIn } from '../../values/uris.ts';
import { type FlyteUrls, flyteUrlsOf } from '../domain/flyte-urls.ts';
import type { DataRow } from '../store/data.ts';

/** The parts that several nouns of this folder share: values, durations, rows of lists. */

const MAX_LISTED_MESSAGE_BYTES = 100;

/** The row as lists show it: the message of its error is cut to 100 bytes, without breaking a character. */
export function listed<Row extends Pick<WorkErrorColumns, 'errorMessage'>>(row: Row): Row {
  // A brief row has no message.
  if (!row.errorMessage) return row;
  const bytes = Buffer.from(row.errorMessage).subarray(0, MAX_LISTED_MESSAGE_BYTES);
  return {
    ...row,
    errorMessage: new TextDecoder().decode(bytes, { stream: true }),
  };
}

/** How long it took; null if it has not ended, or if it ended without a start. */
export function durationOf(row: { startedAt: Date | null; endedAt: Date | null }): number | null {
  if (!row.startedAt || !row.endedAt) return null;
  return row.endedAt.getTime() - row.startedAt.getTime();
}

/** Values, and the project of the files in them; without a project they contain no files. */
export type Data = Pick<DataRow, 'inputs' | 'outputs'> & Partial<Omit<DataRow, 'id' | 'inputs' | 'outputs'>>;

/** For rows without stored values. */
export const noData: Data = { inputs: null, outputs: null };

const plain = (values: LiteralMap | null) =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([name, literal]: [string, Literal]) => [name, toPlain(literal)]),
  );

const FlyteUrlsType = builder.objectRef<FlyteUrls>('FlyteUrls').implement({
  description: "Flyte's own addresses of the values of a node or an attempt, for Flyte's tools.",
  fields: (t) => ({
    inputs: t.exposeString('inputs', { description: 'The address of the inputs.' }),
    outputs: t.exposeString('outputs', { description: 'The address of the outputs.' }),
    deck: t.exposeString('deck', {
      nullable: true,
      description: 'The address of the report of the node; null if it has none.',
    }),
  }),
});

export const DataType = builder.objectRef<Data>('ExecutionData').implement({
  description:
    'The inputs and outputs of an execution, a node or an attempt, as plain values and as literals. The outputs are empty until it succeeds, and stay empty if it fails. As literals, inputs and outputs have at most 16 MiB each; what is larger must be written to a file. A value that is a file is an address such as `slipway://blobs/…`: `files` has the URL to download it.',
  fields: (t) => ({
    inputs: t.field({
      type: 'JSON',
      description: 'The inputs as plain values, as an object with the name of each input: `{"rows": 100}`.',
      resolve: (data) => plain(data.inputs),
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description: "The same inputs as Flyte's literals, as an object with the name of each input.",
      resolve: (data) => data.inputs ?? {},
    }),
    outputs: t.field({
      type: 'JSON',
      description: 'The outputs as plain values, as an object with the name of each output.',
      resolve: (data) => plain(data.outputs),
    }),
    outputLiterals: t.field({
      type: 'JSON',
      description: "The same outputs as Flyte's literals, as an object with the name of each output.",
      resolve: (data) => data.outputs ?? {},
    }),
    inputUri: t.string({
      nullable: true,
      description:
        'The address of the inputs, if an engine from outside keeps them; null otherwise. Then `inputs` may be empty.',
      resolve: ({ inputUri }) => inputUri ?? null,
    }),
    outputUri: t.string({
      nullable: true,
      description:
        'The address of the outputs, if an engine from outside keeps them; null otherwise. Then `outputs` may be empty.',
      resolve: ({ outputUri }) => outputUri ?? null,
    }),
    flyteUrls: t.field({
      type: FlyteUrlsType,
      nullable: true,
      description: "Flyte's own addresses of these values; null for an execution, whose values have none.",
      resolve: ({ part }) => (part ? flyteUrlsOf(part) : null),
    }),
    files: t.field({
      type: [SignedBlobType],
      extensions: { listSize: 10 },
      description:
        'The files in the inputs and outputs that are stored on this server, each with a URL to download it.',
      resolve: ({ inputs, outputs, tenantId = '', projectId = null }, _args, { loaders }) =>
        signedBlobs({ tenantId, projectId }, [...urisIn(inputs ?? {}), ...urisIn(outputs ?? {})], loaders),
    }),
  }),
});
