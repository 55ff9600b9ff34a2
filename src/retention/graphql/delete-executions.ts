import { ExecutionByInput, ExecutionType } from '../../executions/graphql/execution.ts';
import { ExecutionFilterInput } from '../../executions/graphql/execution-lists.ts';
import {
  chosenExecutions,
  type ManyResults,
  resultsPayload,
} from '../../executions/graphql/many-executions.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { ItemErrorType, itemErrorOf } from '../../graphql/item-error.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import {
  type DeletionResult,
  deleteExecutions,
  deleteListedExecutions,
  MAX_DELETIONS,
} from '../commands/delete-executions.ts';

const DeleteExecutionsInput = builder.inputType('DeleteExecutionsInput', {
  description: 'Executions to delete. Give `executions` or `filter`.',
  fields: (t) => ({
    executions: t.field({
      type: [ExecutionByInput],
      description: `Which executions to delete, at most ${MAX_DELETIONS}.`,
    }),
    filter: t.field({
      type: ExecutionFilterInput,
      description: `In place of \`executions\`: delete the executions that meet these conditions, have ended, that nothing needs any more, and on whose workflows you have MANAGE; the oldest ${MAX_DELETIONS} of them. ARCHIVED executions are left out without \`withArchived\`.`,
    }),
    dryRun: t.boolean({
      defaultValue: false,
      description: 'Whether to change nothing, and only answer what would be deleted.',
    }),
  }),
});

const DeletedExecutionType = builder.objectRef<DeletionResult>('DeletedExecution').implement({
  description: 'What became of one execution that was to be deleted.',
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: true,
      description: 'The id that it has or had; null if it does not exist or is hidden from you.',
    }),
    execution: t.expose('execution', {
      type: ExecutionType,
      nullable: true,
      description:
        'The execution, if it is still there: after a dry run, and if it was not deleted. Null if it was deleted, does not exist or is hidden from you.',
    }),
    error: t.field({
      type: ItemErrorType,
      nullable: true,
      description:
        'Why it was not deleted; null if it was. FAILED_PRECONDITION if it has not ended, or if something still needs it.',
      resolve: ({ error }) => itemErrorOf(error),
    }),
  }),
});

const DeleteExecutionsPayload = resultsPayload(
  'DeleteExecutionsPayload',
  DeletedExecutionType,
  MAX_DELETIONS,
);

builder.mutationField('deleteExecutions', (t) =>
  t.field({
    type: DeleteExecutionsPayload,
    nullable: true,
    description:
      'Deletes executions that have ended, with their nodes, attempts, events, signals, notifications and jobs. Requires MANAGE on the workflow of each. Nobody can get them back. An execution that cannot be deleted does not keep the others from it. What executions have computed stays: files, cached outputs, runs and versions of models. An execution from which a version of a registered model comes is not deleted. Executions that a deleted one has started, and those that repeat it, stay as well. A name can be used again.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteExecutionsInput),
    resolve: async (_root, { input }, context): Promise<ManyResults<DeletionResult>> => {
      const caller = callerOf(context);
      const isDryRun = input.dryRun ?? false;
      const chosen = await chosenExecutions(input, MAX_DELETIONS, context);
      if ('filter' in chosen) return await deleteListedExecutions(caller, chosen.filter, isDryRun);
      return { results: await deleteExecutions(caller, chosen.addresses, isDryRun), hasMore: false };
    },
  }),
);
