/** Experiments and runs as their owner makes them. */
import type { App } from '../support/app.ts';
import { make } from '../support/mutate.ts';

export const experimentFields =
  'experiment { id name projectIdentifier description stage publicAt tags { key value } }';

export const makeExperiment = (
  app: App,
  project: string,
  name: string,
  authorization?: string,
): Promise<string> => make(app, 'createExperiment', { project, name }, 'experiment', authorization);

export const makeRun = (
  app: App,
  experimentId: string,
  more: object = {},
  authorization?: string,
): Promise<string> =>
  make(app, 'createRun', { experiment: { id: experimentId }, ...more }, 'run', authorization);
