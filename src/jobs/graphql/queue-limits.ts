import { builder } from '../../graphql/builder.ts';
import {
  type ClassLimitRequest,
  limitsIn,
  type ResourceFraction,
  type StoredLimits,
} from '../domain/queue-settings.ts';
import { QueueType } from './queue.ts';

const texts = {
  resource: 'The name of the resource as nodes report it, such as `cpu`, `memory` or `nvidia.com/gpu`.',
  fraction: 'How much of what all nodes of the pool have: 0 to 1.',
  pool: 'The name of the pool.',
  fractions: 'How much of each resource. A resource that is left out has no limit of this kind.',
  priorityClass: 'The name of the priority class.',
  everywhere: 'How much of each resource of any pool the jobs of the class may hold at the same time.',
  byPool: 'The same for single pools. What is set for a pool counts before what is set for all pools.',
} as const;

const ResourceFractionType = builder.objectRef<ResourceFraction>('ResourceFraction').implement({
  description: 'A part of one resource of a pool.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: texts.resource }),
    fraction: t.exposeFloat('fraction', { description: texts.fraction }),
  }),
});

type PoolFractions = ClassLimitRequest['maximumResourceFractionByPool'][number];

const PoolFractionsType = builder.objectRef<PoolFractions>('PoolResourceFractions').implement({
  description: 'Parts of the resources of one pool.',
  fields: (t) => ({
    pool: t.exposeString('pool', { description: texts.pool }),
    fractions: t.field({
      type: [ResourceFractionType],
      extensions: { listSize: 3 },
      description: texts.fractions,
      resolve: ({ fractions }) => [...fractions],
    }),
  }),
});

const ClassLimitType = builder.objectRef<ClassLimitRequest>('QueueResourceLimit').implement({
  description: 'How much of the pools the jobs of one priority class may hold in a queue.',
  fields: (t) => ({
    priorityClass: t.exposeString('priorityClass', { description: texts.priorityClass }),
    maximumResourceFraction: t.field({
      type: [ResourceFractionType],
      extensions: { listSize: 3 },
      description: texts.everywhere,
      resolve: ({ maximumResourceFraction }) => [...maximumResourceFraction],
    }),
    maximumResourceFractionByPool: t.field({
      type: [PoolFractionsType],
      extensions: { listSize: 2 },
      description: texts.byPool,
      resolve: ({ maximumResourceFractionByPool }) => [...maximumResourceFractionByPool],
    }),
  }),
});

builder.objectField(QueueType, 'resourceLimitsByPriorityClass', (t) =>
  t.field({
    type: [ClassLimitType],
    extensions: { listSize: 2 },
    description:
      'How much of the pools its jobs may hold at the same time, by priority class. A class that is left out has no limit.',
    resolve: ({ resourceLimits }) => limitsIn(resourceLimits as StoredLimits),
  }),
);

const ResourceFractionInput = builder.inputType('ResourceFractionInput', {
  description: 'A part of one resource of a pool.',
  fields: (t) => ({
    resource: t.string({ required: true, description: texts.resource }),
    fraction: t.float({ required: true, description: texts.fraction }),
  }),
});

const PoolFractionsInput = builder.inputType('PoolResourceFractionsInput', {
  description: 'Parts of the resources of one pool.',
  fields: (t) => ({
    pool: t.string({ required: true, description: texts.pool }),
    fractions: t.field({ type: [ResourceFractionInput], required: true, description: texts.fractions }),
  }),
});

export const ClassLimitInput = builder.inputType('QueueResourceLimitInput', {
  description: 'How much of the pools the jobs of one priority class may hold in a queue.',
  fields: (t) => ({
    priorityClass: t.string({ required: true, description: texts.priorityClass }),
    maximumResourceFraction: t.field({
      type: [ResourceFractionInput],
      defaultValue: [],
      description: texts.everywhere,
    }),
    maximumResourceFractionByPool: t.field({
      type: [PoolFractionsInput],
      defaultValue: [],
      description: texts.byPool,
    }),
  }),
});

/** The limits in an input, as it arrives. */
export const limitRequests = (inputs: readonly (typeof ClassLimitInput.$inferInput)[]): ClassLimitRequest[] =>
  inputs.map(({ priorityClass, maximumResourceFraction, maximumResourceFractionByPool }) => ({
    priorityClass,
    maximumResourceFraction: maximumResourceFraction ?? [],
    maximumResourceFractionByPool: maximumResourceFractionByPool ?? [],
  }));
