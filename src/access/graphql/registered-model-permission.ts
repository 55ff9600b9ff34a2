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
  description: "A user's own permission on a registered model. Source: MLflow's entity of that name.",
  fields: (t) => ({
    registeredModelId: t.id({ resolve: (grant) => grant.resourceId ?? '' }),
    name: t.string({
      nullable: true,
      description: "The model's name now, for who may read it: a permission stays when its model is renamed.",
      resolve: async (grant, args, context) => (await modelOf(grant, args, context))?.name ?? null,
    }),
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
  type: 'REGISTERED_MODEL',
  field: 'registeredModel',
  name: 'RegisteredModel',
  by: RegisteredModelByInput,
  permission: RegisteredModelPermission,
});
