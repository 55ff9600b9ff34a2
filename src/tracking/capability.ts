import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { experimentLoaders } from './experiment-loaders.ts';
import { experimentRules } from './experiment-rules.ts';
import { ExperimentType } from './graphql/experiment.ts';
import { ModelVersionType } from './graphql/model-version.ts';
import { RegisteredModelType } from './graphql/registered-model.ts';
import { RunType } from './graphql/run.ts';
import { modelLoaders } from './model-loaders.ts';
import { modelRules } from './model-rules.ts';
import { experimentNodes } from './store/experiments.ts';
import { modelNodes } from './store/models.ts';
import { runNodes } from './store/runs.ts';
import { modelVersionNodes } from './store/versions.ts';
import './graphql/model-alias.ts';

export const tracking: Capability = {
  rules: [experimentRules, modelRules],
  loaders: (reader) => ({ ...experimentLoaders(reader), ...modelLoaders(reader) }),
  nodes: [
    nodeType(ExperimentType, 'experiment:read', experimentNodes, (id, { loaders }) =>
      loaders.experiment.load({ id }),
    ),
    nodeType(RunType, 'run:read', runNodes, (id, { loaders }) => loaders.run.load(id)),
    nodeType(RegisteredModelType, 'model:read', modelNodes, (id, { loaders }) =>
      loaders.registeredModel.load({ id }),
    ),
    nodeType(ModelVersionType, 'model:read', modelVersionNodes, (id, { loaders }) =>
      loaders.modelVersion.load({ id }),
    ),
  ],
};
