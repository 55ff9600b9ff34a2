import { callerOf } from '../graphql/context.ts';
import { can, type Finder, type RootRules, ruleBy } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { ofProject } from '../projects/rules.ts';
import { modelVersionTarget, registeredModelTarget } from './domain/model-targets.ts';
import { asOwned } from './experiment-rules.ts';
import { findVersion, type ModelVersionBy } from './find-version.ts';
import { hasReadableModel, type RegisteredModelBy } from './store/models.ts';

const ofModel = (by: (args: never) => RegisteredModelBy): Finder => ({
  kind: 'registered model',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => {
    const model = await loaders.registeredModel.load(by(args as never));
    return model && registeredModelTarget(model);
  },
});

const ofInputBy = ofModel(({ input }: { input: { by: RegisteredModelBy } }) => input.by);
const ofInputModel = ofModel(({ input }: { input: { model: RegisteredModelBy } }) => input.model);

const ofVersion = (by: (args: never) => ModelVersionBy): Finder => ({
  kind: 'model version',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => {
    const version = await findVersion(by(args as never), loaders);
    return version && modelVersionTarget(version);
  },
});

const ofInputVersion = ofVersion(({ input }: { input: { by: ModelVersionBy } }) => input.by);

interface ListArguments {
  readonly filter?: { readonly project?: string | null } | null;
}

/** A list within a project needs READ on the project, or on something inside of it. */
const inProject = can('model:read', {
  ...ofProject(({ filter }: ListArguments) => filter?.project ?? ''),
  within: (target, _args, context) => hasReadableModel(callerOf(context), target?.resources[0]?.id ?? null),
});
const inTenant = can('model:list');
const inFilter = ruleBy(({ filter }: ListArguments) => (filter?.project == null ? inTenant : inProject));

export const modelRules: RootRules = {
  Query: {
    registeredModel: can(
      'model:read',
      ofModel(({ by }: { by: RegisteredModelBy }) => by),
    ),
    registeredModels: inFilter,
    modelVersion: can(
      'model:read',
      ofVersion(({ by }: { by: ModelVersionBy }) => by),
    ),
  },
  Mutation: {
    createRegisteredModel: can(
      'model:create',
      ofProject(({ input }: { input: { project: string } }) => input.project),
    ),
    updateRegisteredModel: can('model:update', ofInputBy),
    deleteRegisteredModel: can('model:delete', ofInputBy),
    restoreRegisteredModel: can('model:delete', ofInputBy),
    updateRegisteredModelTags: can('model:update', ofInputBy),
    deleteRegisteredModelTags: can('model:update', ofInputBy),
    publishRegisteredModel: can('model:publish', asOwned(ofInputBy)),
    unpublishRegisteredModel: can('model:publish', asOwned(ofInputBy)),
    createModelVersion: can('model:update', ofInputModel),
    updateModelVersion: can('model:update', ofInputVersion),
    updateModelVersionTags: can('model:update', ofInputVersion),
    deleteModelVersionTags: can('model:delete', ofInputVersion),
    deleteModelVersion: can('model:delete', ofInputVersion),
    updateModelAlias: can('model:update', ofInputModel),
    deleteModelAlias: can('model:delete', ofInputModel),
  },
};
