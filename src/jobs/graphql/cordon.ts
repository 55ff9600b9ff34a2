import type { ExecutorSettings } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { cordonNode, uncordonNode } from '../commands/cordon-node.ts';
import { upsertExecutorSettings } from '../commands/upsert-executor-settings.ts';
import type { ExecutorNode } from '../store/executors.ts';
import { ExecutorType } from './executor.ts';
import { ExecutorNodeType } from './executor-node.ts';

const ExecutorSettingsType = builder.objectRef<ExecutorSettings>('ExecutorSettings').implement({
  description: 'What an operator has set for the executor with a name.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the executor.' }),
    cordoned: t.exposeBoolean('cordoned', {
      description: 'Whether it is cordoned: it gets no new work, and its runs go on.',
    }),
    cordonReason: t.exposeString('cordonReason', {
      nullable: true,
      description: 'Why it is cordoned; null if it is not.',
    }),
    updatedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who changed the settings last; null if the user is gone.',
      resolve: ({ setById }, _args, { loaders }) => loaders.publicUser.load(setById),
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When they were last changed.' }),
    executor: t.field({
      type: ExecutorType,
      nullable: true,
      description: 'The executor; null if no executor with the name has called yet.',
      resolve: ({ name }, _args, { loaders }) => loaders.executor.load({ name }),
    }),
  }),
});

const UpsertExecutorSettingsInput = builder.inputType('UpsertExecutorSettingsInput', {
  description: 'What shall be set for an executor.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'The name of the executor, a DNS-1123 label. The executor need not exist yet.',
    }),
    cordoned: t.boolean({ required: true, description: 'Whether it gets no new work. Its runs go on.' }),
    cordonReason: t.string({
      description:
        'Why it is cordoned, at most 512 characters. It is required with `cordoned: true`, and refused without it.',
    }),
  }),
});

const nodeTexts = {
  executor: 'The name of the executor.',
  node: 'The name of the machine, unique in its executor.',
};

const CordonNodeInput = builder.inputType('CordonNodeInput', {
  description: 'A machine to cordon.',
  fields: (t) => ({
    executor: t.string({ required: true, description: nodeTexts.executor }),
    node: t.string({ required: true, description: nodeTexts.node }),
    reason: t.string({ required: true, description: 'Why, 1 to 512 characters.' }),
  }),
});

const UncordonNodeInput = builder.inputType('UncordonNodeInput', {
  description: 'A machine that shall get work again.',
  fields: (t) => ({
    executor: t.string({ required: true, description: nodeTexts.executor }),
    node: t.string({ required: true, description: nodeTexts.node }),
  }),
});

const UncordonNodePayload = builder
  .objectRef<{ readonly node: ExecutorNode | null }>('UncordonNodePayload')
  .implement({
    description: 'What `uncordonNode` answers when it succeeds.',
    fields: (t) => ({
      node: t.expose('node', {
        type: ExecutorNodeType,
        nullable: true,
        description:
          'The machine after the mutation; null if the last report of the executor does not have it.',
      }),
    }),
  });

/** The rule has found the executor. */
async function executorOf(name: string, { loaders }: Context) {
  const executor = await loaders.executor.load({ name });
  if (!executor) throw new NotFoundError('executor', name, ['input', 'executor']);
  return executor;
}

builder.mutationFields((t) => ({
  upsertExecutorSettings: t.field({
    type: payload('UpsertExecutorSettingsPayload', 'settings', ExecutorSettingsType),
    nullable: true,
    description:
      'Cordons an executor, or opens it again. Requires the role ADMIN or a higher one. A cordoned executor gets no new work; the runs that it has go on. Settings stay when the executor is gone. Source: Armada.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpsertExecutorSettingsInput),
    resolve: async (_root, { input }, context) => {
      const { name, cordoned, cordonReason = null } = input;
      const request = { name, cordoned, cordonReason };
      const settings = await upsertExecutorSettings(callerOf(context), request, new Date());
      context.loaders.executor.clearAll();
      return { settings };
    },
  }),
  cordonNode: t.field({
    type: payload('CordonNodePayload', 'node', ExecutorNodeType),
    nullable: true,
    description:
      'Cordons a machine of an executor: it gets no new work, and its runs go on. Requires the role ADMIN or a higher one. NOT_FOUND if the executor does not exist. A machine that is cordoned already gets the new reason. The cordon stays while the executor does not report the machine.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(CordonNodeInput),
    resolve: async (_root, { input }, context) => {
      const executor = await executorOf(input.executor, context);
      const request = { executor, node: input.node };
      return { node: await cordonNode(callerOf(context), request, input.reason, new Date()) };
    },
  }),
  uncordonNode: t.field({
    type: UncordonNodePayload,
    nullable: true,
    description:
      'Lets a cordoned machine of an executor get work again, at once. Requires the role ADMIN or a higher one. NOT_FOUND if the executor does not exist. A machine that is not cordoned does not change.',
    errors: { types: [NotFoundError] },
    args: inputOf(UncordonNodeInput),
    resolve: async (_root, { input }, context) => {
      const executor = await executorOf(input.executor, context);
      return { node: await uncordonNode(callerOf(context), { executor, node: input.node }) };
    },
  }),
}));
