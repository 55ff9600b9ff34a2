import type { ResourceType } from '../generated/prisma/enums.ts';
import { enumOf } from './enum.ts';

export const ResourceTypeEnum = enumOf<ResourceType>(
  'ResourceType',
  'The kinds of resource that levels are granted on.',
  {
    TENANT: 'The tenant with everything in it.',
    PROJECT:
      'A project, with its tasks, workflows, launch plans, executions, experiments and registered models.',
    EXPERIMENT: 'An experiment, with its runs.',
    REGISTERED_MODEL: 'A registered model, with its versions.',
    WORKFLOW: 'A workflow by its name: all its versions, with their launch plans and executions.',
    QUEUE: 'A queue, with its jobs.',
  },
);
