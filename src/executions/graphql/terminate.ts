import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { ItemErrorType, itemErrorOf } from '../../graphql/item-error.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { terminateExecution } from '../commands/terminate-execution.ts';
import {
  MAX_TERMINATIONS,
  type TerminationResult,
  terminateExecutions,
  terminateListedExecutions,
} from '../commands/terminate-executions.ts';
import { terminateNodeExecution } from '../commands/terminate-node-execution.ts';
import type { ExecutionBy } from '../store/reads.ts';
import { ExecutionByInput, ExecutionType } from './execution.ts';
import { ExecutionFilterInput } from './execution-lists.ts';
import { getExecution } from './execution-mutations.ts';
import { chosenExecutions, type ManyResults, resultsPayload } from './many-executions.ts';
import {
  loadNodeExecution,
  type NodeExecutionBy,
  NodeExecutionByInput,
  NodeExecutionType,
} from './node-execution.ts';

const causeText = 'The reason, at most 500 characters. `abort` shows it.';
const forceText =
  'Whether to end without waiting until the work has stopped, for example because its engine does not answer. The work is still told to stop, but what it reports later does not count.';

const TerminateExecutionInput = builder.inputType('TerminateExecutionInput', {
  description: 'An execution to stop.',
  fields: (t) => ({
    by: t.field({ type: ExecutionByInput, required: true, description: 'Which execution to stop.' }),
    cause: t.string({ required: true, description: causeText }),
    force: t.boolean({ defaultValue: false, description: forceText }),
  }),
});

const TerminateExecutionPayload = payload('TerminateExecutionPayload', 'execution', ExecutionType);

builder.mutationField('terminateExecution', (t) =>
  t.field({
    type: TerminateExecutionPayload,
    nullable: true,
    description:
      'Aborts an execution. Requires EDIT on its workflow. The execution is ABORTING at once, and ABORTED when its work has stopped; with `force`, as soon as the scheduler sees it.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(TerminateExecutionInput),
    resolve: async (_root, { input }, context) => {
      const found = await getExecution(input.by as ExecutionBy, context);
      const termination = { cause: input.cause, isForced: input.force ?? false };
      return { execution: await terminateExecution(callerOf(context), found, termination, new Date()) };
    },
  }),
);

const TerminateExecutionsInput = builder.inputType('TerminateExecutionsInput', {
  description: 'Executions to stop. Give `executions` or `filter`.',
  fields: (t) => ({
    executions: t.field({
      type: [ExecutionByInput],
      description: `Which executions to stop, at most ${MAX_TERMINATIONS}.`,
    }),
    filter: t.field({
      type: ExecutionFilterInput,
      description: `In place of \`executions\`: stop the executions that meet these conditions, have not ended, and on whose workflows you have EDIT; the oldest ${MAX_TERMINATIONS} of them.`,
    }),
    cause: t.string({ required: true, description: causeText }),
    force: t.boolean({ defaultValue: false, description: forceText }),
    dryRun: t.boolean({
      defaultValue: false,
      description: 'Whether to change nothing, and only answer what would be stopped.',
    }),
  }),
});

const TerminateExecutionsResultType = builder.objectRef<TerminationResult>('TerminatedExecution').implement({
  description: 'What became of one execution that was to be stopped.',
  fields: (t) => ({
    execution: t.expose('execution', {
      type: ExecutionType,
      nullable: true,
      description: 'The execution as it is now; null if it does not exist or is hidden from you.',
    }),
    error: t.field({
      type: ItemErrorType,
      nullable: true,
      description: 'Why it was not stopped; null if it was.',
      resolve: ({ error }) => itemErrorOf(error),
    }),
  }),
});

const TerminateExecutionsPayload = resultsPayload(
  'TerminateExecutionsPayload',
  TerminateExecutionsResultType,
  MAX_TERMINATIONS,
);

builder.mutationField('terminateExecutions', (t) =>
  t.field({
    type: TerminateExecutionsPayload,
    nullable: true,
    description:
      'Aborts many executions, each as `terminateExecution` does. An execution that cannot be aborted does not keep the others from it.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(TerminateExecutionsInput),
    resolve: async (_root, { input }, context): Promise<ManyResults<TerminationResult>> => {
      const caller = callerOf(context);
      const { cause, force, dryRun } = input;
      const termination = { cause, isForced: force ?? false, dryRun: dryRun ?? false };
      const chosen = await chosenExecutions(input, MAX_TERMINATIONS, context);
      if ('filter' in chosen)
        return await terminateListedExecutions(caller, chosen.filter, termination, new Date());
      const results = await terminateExecutions(caller, chosen.addresses, termination, new Date());
      return { results, hasMore: false };
    },
  }),
);

const TerminateNodeExecutionInput = builder.inputType('TerminateNodeExecutionInput', {
  description: 'A node of an execution to stop.',
  fields: (t) => ({
    by: t.field({ type: NodeExecutionByInput, required: true, description: 'Which node to stop.' }),
    cause: t.string({ required: true, description: causeText }),
  }),
});

const TerminateNodeExecutionPayload = payload(
  'TerminateNodeExecutionPayload',
  'nodeExecution',
  NodeExecutionType,
);

builder.mutationField('terminateNodeExecution', (t) =>
  t.field({
    type: TerminateNodeExecutionPayload,
    nullable: true,
    description:
      'Stops one node of an execution, with everything inside of it. Requires EDIT on the workflow of the execution. The node is ABORTED when its work has stopped, and the execution goes on as after a failure of the node. If the work ends before it is stopped, its result counts.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(TerminateNodeExecutionInput),
    resolve: async (_root, { input }, context) => {
      const { loaders } = context;
      const by = input.by as NodeExecutionBy;
      const node = await loadNodeExecution(by, loaders);
      const execution = node && (await loaders.execution.load({ id: node.executionId }));
      if (!execution) throw new NotFoundError('node execution', addressText(by), ['input', 'by']);
      await terminateNodeExecution(callerOf(context), execution, node, input.cause);
      loaders.nodeExecution.clearAll();
      const nodeExecution = await loaders.nodeExecution.load(node.id);
      if (!nodeExecution) throw new NotFoundError('node execution', node.nodeId, ['input', 'by']);
      return { nodeExecution };
    },
  }),
);
