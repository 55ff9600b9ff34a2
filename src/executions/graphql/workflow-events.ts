import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { createWorkflowEvent } from '../commands/create-workflow-event.ts';
import {
  EventErrorInput,
  errorOf,
  eventErrors,
  executionOf,
  occurredAt,
  outputLiterals,
  outputs,
  outputUri,
  outputUriOf,
  producer,
  rowAfter,
} from './event-input.ts';
import { ExecutionByInput, ExecutionPhaseEnum, ExecutionType } from './execution.ts';

const CreateWorkflowEventInput = builder.inputType('CreateWorkflowEventInput', {
  description: 'An event about an execution.',
  fields: (t) => ({
    execution: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'Which execution it is about.',
    }),
    phase: t.field({ type: ExecutionPhaseEnum, required: true, description: 'The phase that it moved to.' }),
    producerId: t.string(producer),
    occurredAt: t.field(occurredAt),
    outputs: t.field(outputs),
    outputLiterals: t.field(outputLiterals),
    outputUri: t.string(outputUri),
    error: t.field({ type: EventErrorInput, description: 'Why it failed.' }),
  }),
});

const CreateWorkflowEventPayload = payload('CreateWorkflowEventPayload', 'execution', ExecutionType);

builder.mutationFields((t) => ({
  createWorkflowEvent: t.field({
    type: CreateWorkflowEventPayload,
    nullable: true,
    description:
      'Moves an execution with `engine: EXTERNAL` to another phase. Requires EDIT on its workflow. A repeated event answers ALREADY_EXISTS and changes nothing.',
    errors: eventErrors,
    args: inputOf(CreateWorkflowEventInput),
    resolve: async (_root, { input }, context) => {
      const { id } = await executionOf(input.execution, context);
      await createWorkflowEvent(callerOf(context), id, {
        ...input,
        producerId: input.producerId ?? '',
        error: errorOf(input.error),
        outputUri: outputUriOf(input),
      });
      const { execution } = context.loaders;
      return { execution: await rowAfter('execution', id, execution.clearAll().load({ id })) };
    },
  }),
}));
