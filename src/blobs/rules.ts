import { can, type RootRules, ruleBy } from '../graphql/rules.ts';
import { ofProject } from '../projects/rules.ts';

interface UploadArguments {
  readonly input: {
    readonly owner: {
      readonly project?: string | null;
      readonly run?: string | null;
    };
  };
}

const forProject = can(
  'blob:create',
  ofProject(({ input }: UploadArguments) => input.owner.project ?? ''),
);
const forRun = can('job:run', {
  kind: 'job run',
  key: (args) => (args as unknown as UploadArguments).input.owner.run ?? '',
});

/** Users who may run things in a project may upload its files; executors may upload the files of their runs. */
const byOwner = ruleBy(({ input }: UploadArguments) => (input.owner.run == null ? forProject : forRun));

export const blobRules: RootRules = {
  Mutation: { createBlobUpload: byOwner },
};
