import { builder } from '../../graphql/builder.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { taskTarget } from '../domain/targets.ts';
import type { TaskNode, TaskOverrides } from '../domain/workflow-templates.ts';
import { ResourcesType } from './container.ts';
import { EntityKeyType } from './entity-key.ts';
import { ExtendedResourcesType } from './extended-resources.ts';
import { TaskType } from './task.ts';

const TaskOverridesType = builder.objectRef<TaskOverrides>('TaskOverrides').implement({
  description:
    'What a node changes about the task that it runs. A field is null if the node does not change it.',
  fields: (t) => ({
    resources: t.expose('resources', {
      type: ResourcesType,
      nullable: true,
      description: 'The resources of the container, in place of those of the task.',
    }),
    containerImage: t.exposeString('containerImage', {
      nullable: true,
      description: 'The image of the container, in place of that of the task.',
    }),
    extendedResources: t.expose('extendedResources', {
      type: ExtendedResourcesType,
      nullable: true,
      description: 'Which GPUs, and how much shared memory, in place of those of the task.',
    }),
    podTemplate: t.expose('podTemplate', {
      type: 'JSON',
      nullable: true,
      description: "Flyte's PodTemplate.",
    }),
  }),
});

export const TaskNodeType = builder.objectRef<TaskNode>('TaskNode').implement({
  description: 'What a node that runs a task says about it.',
  fields: (t) => ({
    referenceId: t.expose('referenceId', {
      type: EntityKeyType,
      description: 'The key of the version of the task. It is shown even if the task is hidden from you.',
    }),
    task: t.field({
      type: TaskType,
      nullable: true,
      description: 'The version of the task; null if it is hidden from you.',
      resolve: guardedEdge(
        'task:read',
        ({ referenceId }, { loaders }) => loaders.task.load({ key: referenceId }),
        taskTarget,
      ),
    }),
    overrides: t.expose('overrides', {
      type: TaskOverridesType,
      nullable: true,
      description: 'What this node changes about the task; null if it changes nothing.',
    }),
  }),
});
