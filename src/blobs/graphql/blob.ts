import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { InvalidArgumentError, NotFoundError, ResourceExhaustedError } from '../../platform/errors.ts';
import { getProject } from '../../projects/loaders.ts';
import { createBlobUpload } from '../commands/create-blob-upload.ts';
import { blobUri } from '../domain/blob-uri.ts';
import { signedBlobUrl } from '../signed-url.ts';
import type { BlobRow } from '../store.ts';

const CreateBlobUploadPayload = builder.objectRef<BlobRow>('CreateBlobUploadPayload').implement({
  description: 'What `createBlobUpload` answers when it succeeds.',
  fields: (t) => ({
    uri: t.string({
      description: 'The URI that names the file in inputs and outputs: `slipway://blobs/…`.',
      resolve: ({ id }) => blobUri(id),
    }),
    uploadUrl: t.string({
      nullable: true,
      description:
        'The address to PUT the content to, within a few minutes; null when the content is there already.',
      resolve: (blob, _args, { publicUrl }) =>
        blob.uploadedAt
          ? null
          : signedBlobUrl(
              publicUrl,
              'PUT',
              blob.id,
              new Date(Date.now() + serverConfig.blobUrlSeconds * 1000),
            ),
    }),
  }),
});

const BlobOwnerInput = builder.inputType('BlobOwnerInput', {
  description: 'The project that a file will belong to.',
  isOneOf: true,
  fields: (t) => ({
    project: t.string({ description: "The project's identifier." }),
    run: t.id({
      description: "A run's id, for executors: the project that the run works for.",
    }),
  }),
});

const CreateBlobUploadInput = builder.inputType('CreateBlobUploadInput', {
  description: 'A file to upload.',
  fields: (t) => ({
    owner: t.field({
      type: BlobOwnerInput,
      required: true,
      description: 'The project that it will belong to.',
    }),
    sha256: t.string({
      required: true,
      description: 'The SHA-256 of the content, as 64 hexadecimal digits.',
    }),
    sizeBytes: t.field({
      type: 'BigInt',
      required: true,
      description: 'The length of the content in bytes.',
    }),
  }),
});

builder.mutationField('createBlobUpload', (t) =>
  t.field({
    type: CreateBlobUploadPayload,
    nullable: true,
    description:
      'Announces a file and answers where to send it. Requires USE on the project. The same content in the same project is one file, which is sent once.',
    errors: {
      types: [InvalidArgumentError, NotFoundError, ResourceExhaustedError],
    },
    args: inputOf(CreateBlobUploadInput),
    resolve: async (_root, { input }, context) => {
      const { sha256, sizeBytes } = input;
      const projectId = await projectIdOf(input.owner, context);
      const upload = { projectId, sha256, sizeBytes: BigInt(sizeBytes) };
      return await createBlobUpload(callerOf(context), upload, serverConfig.blobLimitBytes);
    },
  }),
);

/** @throws NotFoundError for a run that the caller's executor does not hold. */
async function projectIdOf(owner: typeof BlobOwnerInput.$inferInput, context: Context): Promise<string> {
  const { loaders } = context;
  if (owner.project) {
    return (await getProject(owner.project, loaders)).id;
  }
  const runId = owner.run ?? '';
  const projectId = await loaders.projectIdOfRun.load({ userId: callerOf(context).userId, runId });
  if (projectId) return projectId;
  throw new NotFoundError('run', runId, ['input', 'owner', 'run']);
}
