import { blobIdOf } from '../../blobs/domain/blob-uri.ts';
import { signedBlobUrl } from '../../blobs/signed-url.ts';
import type { ErrorKind } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { config } from '../../platform/config.ts';
import type { Literal, LiteralMap } from '../../registry/domain/literals.ts';
import { toPlain } from '../../registry/domain/plain-values.ts';
import { urisIn } from '../domain/blob-uris.ts';
import type { ErrorColumns } from '../store/reads.ts';

/** What several nouns of this folder share: errors, values, lengths of time. */

export const ErrorKindEnum = builder.enumType('ErrorKind', {
  description: 'Whose fault: USER, the work itself; SYSTEM, what ran it.',
  values: ['UNKNOWN', 'USER', 'SYSTEM'] as const,
});

export interface ShownError {
  readonly code: string;
  readonly message: string;
  readonly kind: ErrorKind;
  readonly nodeId: string | null;
}

export const ExecutionErrorType = builder.objectRef<ShownError>('ExecutionError').implement({
  description: 'Why it failed.',
  fields: (t) => ({
    code: t.exposeString('code'),
    message: t.exposeString('message', {
      description: 'Cut to 100 bytes in lists.',
    }),
    kind: t.field({ type: ErrorKindEnum, resolve: (error) => error.kind }),
    nodeId: t.exposeString('nodeId', {
      nullable: true,
      description: 'The node that failed the execution.',
    }),
  }),
});

export function shownError(row: ErrorColumns, nodeId: string | null = null): ShownError | null {
  if (row.errorCode === null) return null;
  return {
    code: row.errorCode,
    message: row.errorMessage ?? '',
    kind: row.errorKind ?? 'UNKNOWN',
    nodeId,
  };
}

const MAX_LISTED_MESSAGE_BYTES = 100;

/** The row as lists show it: its error's message cut to 100 bytes, still valid text. */
export function listed<Row extends ErrorColumns>(row: Row): Row {
  if (row.errorMessage === null || Buffer.byteLength(row.errorMessage) <= MAX_LISTED_MESSAGE_BYTES)
    return row;
  const bytes = Buffer.from(row.errorMessage).subarray(0, MAX_LISTED_MESSAGE_BYTES);
  return {
    ...row,
    errorMessage: new TextDecoder().decode(bytes, { stream: true }),
  };
}

/** How long it took, or has taken until now; null before it started. */
export function durationOf(row: { startedAt: Date | null; endedAt: Date | null }): number | null {
  if (!row.startedAt || !row.endedAt) return null;
  return row.endedAt.getTime() - row.startedAt.getTime();
}

export interface Data {
  readonly inputs: LiteralMap | null;
  readonly outputs: LiteralMap | null;
}

const plain = (values: LiteralMap | null) =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([name, literal]: [string, Literal]) => [name, toPlain(literal)]),
  );

interface FileRef {
  readonly uri: string;
  readonly id: string;
}

const FileType = builder.objectRef<FileRef>('File').implement({
  description: 'A file that a value names.',
  fields: (t) => ({
    uri: t.exposeString('uri', {
      description: 'As it stands in the values: `slipway://blobs/…`.',
    }),
    downloadUrl: t.string({
      description: 'Whoever holds this address may fetch the file with GET, for a few minutes.',
      resolve: (file, _args, { publicUrl }) =>
        signedBlobUrl(publicUrl, 'GET', file.id, new Date(Date.now() + config.blobUrlSeconds * 1000)),
    }),
  }),
});

export const DataType = builder.objectRef<Data>('ExecutionData').implement({
  description: 'Inputs and outputs, plain and in full. Outputs are empty until it has succeeded.',
  fields: (t) => ({
    inputs: t.field({
      type: 'JSON',
      description: 'Plain values by name.',
      resolve: (data) => plain(data.inputs),
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description: "Flyte's literals by name.",
      resolve: (data) => data.inputs ?? {},
    }),
    outputs: t.field({
      type: 'JSON',
      description: 'Plain values by name.',
      resolve: (data) => plain(data.outputs),
    }),
    outputLiterals: t.field({
      type: 'JSON',
      description: "Flyte's literals by name.",
      resolve: (data) => data.outputs ?? {},
    }),
    files: t.field({
      type: [FileType],
      description: 'The files of ours among inputs and outputs, each with an address to fetch it from.',
      resolve: (data) => {
        const uris = new Set([...urisIn(data.inputs ?? {}), ...urisIn(data.outputs ?? {})]);
        return [...uris].flatMap((uri) => {
          const id = blobIdOf(uri);
          return id ? [{ uri, id }] : [];
        });
      },
    }),
  }),
});
