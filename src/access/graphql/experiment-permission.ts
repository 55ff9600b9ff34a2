import type { Grant } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { ExperimentByInput } from '../../tracking/graphql/experiment.ts';
import { offerPermissionsOf } from './mlflow-permissions.ts';

const ExperimentPermission = builder.objectRef<Grant>('ExperimentPermission').implement({
  description: "A user's own permission on an experiment. Source: MLflow's entity of that name.",
  fields: (t) => ({
    experimentId: t.id({ resolve: (grant) => grant.resourceId ?? '' }),
    userId: t.id({ resolve: (grant) => grant.userId ?? '' }),
    user: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'Null when the user was deleted this moment.',
      resolve: (grant, _args, { loaders }) => loaders.publicUser.load(grant.userId ?? ''),
    }),
    permission: t.field({ type: LevelEnum, resolve: (grant) => grant.level }),
  }),
});

offerPermissionsOf({
  type: 'EXPERIMENT',
  field: 'experiment',
  name: 'Experiment',
  by: ExperimentByInput,
  permission: ExperimentPermission,
});
