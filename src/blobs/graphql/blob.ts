import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import type { Caller } from '../../platform/caller.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { InvalidArgumentError, NotFoundError, ResourceExhaustedError } from '../../platform/errors.ts';
import { getProject } from '../../projects/loaders.ts';
import { createBlobUpload } from '../commands/create-blob-upload.ts';
import { blobUri } from '../domain/blob-uri.ts';
import { signedBlobUrl } from '../signed-url.ts';
import type { BlobRow } from '../store/blobs.ts';

const CreateBlobUploadPayload = builder.objectRef<BlobRow>('CreateBlobUploadPayload').implement({
  description: 'What `createBlobUpload` answers when it succeeds.',
  fields: (t) => ({
    uri: t.string({
      description: 'The URI of the file, for inputs and outputs: `slipway://blobs/…`.',
      resolve: ({ id }) => blobUri(id),
    }),
    uploadUrl: t.string({
      nullable: true,
      description:
        'The URL to send the content to with PUT. It is valid for a few minutes. Null if the content is already stored.',
      resolve: (blob, _args, context) => {
        if (blob.uploadedAt) return null;
        const expiresAt = new Date(Date.now() + serverConfig.blobUrlSeconds * 1000);
        return signedBlobUrl(context.publicUrl, 'PUT', blob.id, expiresAt, uploaderOf(callerOf(context)));
      },
    }),
  }),
});

/** Whose uploads are counted. Executors send the outputs of everybody's jobs. */
const uploaderOf = ({ role, real, userId }: Caller) => (role === 'SYSTEM' ? null : (real?.userId ?? userId));

const BlobOwnerInput = builder.inputType('BlobOwnerInput', {
  description: 'The project of a file.',
  isOneOf: true,
  fields: (t) => ({
    project: t.string({ description: "The project's identifier." }),
    run: t.id({
      description: 'For executors: the id of a run of a job. The file belongs to the project of the job.',
    }),
  }),
});

const CreateBlobUploadInput = builder.inputType('CreateBlobUploadInput', {
  description: 'A file to upload.',
  fields: (t) => ({
    owner: t.field({
      type: BlobOwnerInput,
      required: true,
      description: 'The project of the file.',
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
      'Prepares the upload of a file and answers the URL to send it to. Requires USE on the project. A project stores the same content only once.',
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

/** @throws NotFoundError for a run that the caller's executor does not have. */
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
