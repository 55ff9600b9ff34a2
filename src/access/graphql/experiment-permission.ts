import type { Grant } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { ExperimentByInput } from '../../tracking/graphql/experiment.ts';
import { offerPermissionsOf } from './mlflow-permissions.ts';

const ExperimentPermission = builder.objectRef<Grant>('ExperimentPermission').implement({
  description: "A grant to a user on an experiment, in MLflow's form. Source: MLflow's ExperimentPermission.",
  fields: (t) => ({
    experimentId: t.id({
      description: 'The id of the experiment.',
      resolve: (grant) => grant.resourceId ?? '',
    }),
    userId: t.id({ description: 'The id of the user.', resolve: (grant) => grant.userId ?? '' }),
    user: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who has the level; null if the user has just been deleted.',
      resolve: (grant, _args, { loaders }) => loaders.publicUser.load(grant.userId ?? ''),
    }),
    permission: t.field({
      type: LevelEnum,
      description: 'The level that was granted.',
      resolve: (grant) => grant.level,
    }),
  }),
});

offerPermissionsOf({
  type: 'EXPERIMENT',
  field: 'experiment',
  words: 'experiment',
  name: 'Experiment',
  by: ExperimentByInput,
  permission: ExperimentPermission,
});
