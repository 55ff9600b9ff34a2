import type { Grant } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { registeredModelTarget } from '../../tracking/domain/model-targets.ts';
import { RegisteredModelByInput } from '../../tracking/graphql/registered-model.ts';
import { offerPermissionsOf } from './mlflow-permissions.ts';

const modelOf = guardedEdge(
  'model:read',
  (grant: Grant, { loaders }) => loaders.registeredModel.load({ id: grant.resourceId ?? '' }),
  registeredModelTarget,
);

const RegisteredModelPermission = builder.objectRef<Grant>('RegisteredModelPermission').implement({
  description:
    "A grant to a user on a registered model, in MLflow's form. Source: MLflow's RegisteredModelPermission.",
  fields: (t) => ({
    registeredModelId: t.id({
      description: 'The id of the registered model.',
      resolve: (grant) => grant.resourceId ?? '',
    }),
    name: t.string({
      nullable: true,
      description:
        'The current name of the registered model; null if the model is hidden from you. A model that is renamed keeps its grants.',
      resolve: async (grant, args, context) => (await modelOf(grant, args, context))?.name ?? null,
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
  type: 'REGISTERED_MODEL',
  field: 'registeredModel',
  words: 'registered model',
  name: 'RegisteredModel',
  by: RegisteredModelByInput,
  permission: RegisteredModelPermission,
});
