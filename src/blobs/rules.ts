import { can, type FieldArguments, type RootRules, type Rule } from '../graphql/rules.ts';
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
const forRun = can('job:run');

/** A project's file is for those who may run things in it; a run's, for the executors. */
const byOwner: Rule = {
  decide: (args: FieldArguments, context) => {
    const { owner } = (args as unknown as UploadArguments).input;
    return (owner.run == null ? forProject : forRun).decide(args, context);
  },
};

export const blobRules: RootRules = {
  Mutation: { createBlobUpload: byOwner },
};
