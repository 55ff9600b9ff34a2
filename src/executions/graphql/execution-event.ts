import type {
  ExecutionEventKind,
  ExecutionPhase,
  NodeExecutionPhase,
  TaskExecutionPhase,
} from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { eventIdOf, sequenceIn } from '../../graphql/event-id.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { type EventRow, type ExecutionBy, readStreamEnd } from '../store/reads.ts';
import { watchEvents } from '../watch-events.ts';
import { ExecutionByInput, ExecutionPhaseEnum, ExecutionType } from './execution.ts';
import { NodeExecutionPhaseEnum, NodeExecutionType } from './node-execution.ts';
import { TaskExecutionPhaseEnum } from './task-execution.ts';

/** An event, and the execution that it belongs to. */
interface StreamEvent extends EventRow {
  readonly executionId: string;
}

const idOf = ({ executionId, sequence }: StreamEvent) => eventIdOf(executionId, sequence);

/** @throws InvalidArgumentError for a text that is not the id of an event of this execution. */
async function sequenceOf(id: string | null | undefined, executionId: string): Promise<bigint> {
  if (id == null) return 0n;
  const refuse = () =>
    InvalidArgumentError.of(['after'], 'after must be the id of an event of this execution');
  const sequence = sequenceIn(id, executionId);
  if (sequence === null || sequence === 'OTHER_STREAM') throw refuse();
  // The event must exist. After the end of the stream, no event would ever come.
  const end = await readStreamEnd(executionId);
  if (!end || sequence > end.lastSequence) throw refuse();
  return sequence;
}

/** The fields of every event. */
const eventId = {
  description:
    'The position of the event among all events of the execution. Pass it as `after` to continue after this event.',
  resolve: idOf,
};
const occurredAt = {
  type: 'DateTime',
  description: 'When it happened, by the clock of the server or executor that reported it.',
} as const;
const principalOf = ({ principalId }: StreamEvent, _args: object, { loaders }: Context) =>
  principalId ? loaders.publicUser.load(principalId) : null;

const ExecutionEventType = builder.objectRef<StreamEvent>('ExecutionEvent').implement({
  description: 'One change of the phase of an execution.',
  fields: (t) => ({
    id: t.id(eventId),
    phase: t.field({
      type: ExecutionPhaseEnum,
      description: 'The phase that the execution moved to.',
      resolve: (event) => event.phase as ExecutionPhase,
    }),
    error: t.expose('error', {
      type: WorkErrorType,
      nullable: true,
      description: 'Why the execution failed; null if it did not fail.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why the execution stops, if the phase is ABORTING or ABORTED; otherwise null.',
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who aborted the execution; null if the phase is not ABORTING or ABORTED.',
      resolve: principalOf,
    }),
    occurredAt: t.expose('occurredAt', occurredAt),
    execution: t.field({
      type: ExecutionType,
      nullable: true,
      description: 'The execution as it is now. It may have moved on since the event.',
      resolve: (event, _args, { loaders }) => loaders.execution.load({ id: event.executionId }),
    }),
  }),
});

const typeNames: Readonly<Record<ExecutionEventKind, string>> = {
  EXECUTION: 'ExecutionEvent',
  NODE: 'NodePhaseEvent',
  TASK: 'TaskPhaseEvent',
  NODE_ABORT: 'NodeAbortEvent',
};

const NodeExecutionEventType = builder.interfaceRef<StreamEvent>('NodeExecutionEvent').implement({
  description:
    'One change of the phase of a node or of one of its attempts, or the request of a user to stop a node.',
  resolveType: ({ kind }) => typeNames[kind],
  fields: (t) => ({
    id: t.id(eventId),
    nodeId: t.string({
      description: 'The id of the node in the workflow.',
      resolve: (event) => event.nodeId ?? '',
    }),
    error: t.expose('error', {
      type: WorkErrorType,
      nullable: true,
      description: 'Why the node or attempt failed; null if it did not fail.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        'Why the phase changed or a user wants the node to stop, for people; null if no reason was given.',
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description:
        'The user who asked to stop the node, a node that contains it, or the execution. Null if this event is neither the request nor the end of a node that a user stopped.',
      resolve: principalOf,
    }),
    occurredAt: t.expose('occurredAt', occurredAt),
    nodeExecution: t.field({
      type: NodeExecutionType,
      nullable: true,
      description: 'The node as it is now. It may have moved on since the event.',
      resolve: (event, _args, { loaders }) =>
        loaders.nodeExecutionByKey.load({
          executionId: event.executionId,
          nodeId: event.nodeId ?? '',
        }),
    }),
  }),
});

builder.objectRef<StreamEvent>('NodePhaseEvent').implement({
  description: 'A node moved to another phase.',
  interfaces: [NodeExecutionEventType],
  fields: (t) => ({
    phase: t.field({
      type: NodeExecutionPhaseEnum,
      description: 'The phase that the node moved to.',
      resolve: (event) => event.phase as NodeExecutionPhase,
    }),
  }),
});

builder.objectRef<StreamEvent>('TaskPhaseEvent').implement({
  description: 'An attempt of a node moved to another phase.',
  interfaces: [NodeExecutionEventType],
  fields: (t) => ({
    attempt: t.int({
      description: 'The number of the attempt, from 0.',
      resolve: (event) => event.attempt ?? 0,
    }),
    taskPhase: t.field({
      type: TaskExecutionPhaseEnum,
      description: 'The phase that the attempt moved to.',
      resolve: (event) => event.phase as TaskExecutionPhase,
    }),
  }),
});

builder.objectRef<StreamEvent>('NodeAbortEvent').implement({
  description:
    'A user asked to stop a node. `reason` is the cause. If the work stops before it ends, the phase ABORTED follows.',
  interfaces: [NodeExecutionEventType],
  fields: (t) => ({
    phase: t.field({
      type: NodeExecutionPhaseEnum,
      description: 'The phase that the node was in.',
      resolve: (event) => event.phase as NodeExecutionPhase,
    }),
  }),
});

interface WatchArguments {
  readonly by: unknown;
  readonly after?: string | null;
}

/** Opens the stream. Wrong arguments are refused before anything is watched. */
async function watch(args: WatchArguments, context: Context, kinds: readonly ExecutionEventKind[]) {
  const by = args.by as ExecutionBy;
  const execution = await context.loaders.execution.load(by);
  if (!execution) throw new NotFoundError('execution', addressText(by));
  const { id: executionId } = execution;
  const after = await sequenceOf(args.after, executionId);
  const events = watchEvents(executionId, { after, kinds: new Set(kinds), signal: context.signal });
  return withExecutionId(events, executionId);
}

async function* withExecutionId(events: AsyncIterable<EventRow>, executionId: string) {
  for await (const event of events) yield { ...event, executionId };
}

const watchArguments = builder.args((t) => ({
  by: t.field({ type: ExecutionByInput, required: true, description: 'Which execution to watch.' }),
  after: t.id({
    description: 'The id of the last event that you have seen. If left out: from the beginning.',
  }),
}));

builder.subscriptionFields((t) => ({
  executionEvents: t.field({
    type: ExecutionEventType,
    description:
      'Sends every phase change of an execution exactly once: from the first one, or from the one that follows `after`. Completes when the execution has ended.',
    args: watchArguments,
    subscribe: (_root, args, context) => watch(args, context, ['EXECUTION']),
    resolve: (event: StreamEvent) => event,
  }),
  nodeExecutionEvents: t.field({
    type: NodeExecutionEventType,
    description:
      'Sends every phase change of the nodes of an execution and of their attempts, and every request to stop a node, exactly once: from the first one, or from the one that follows `after`. Completes when the execution has ended.',
    args: watchArguments,
    subscribe: (_root, args, context) => watch(args, context, ['NODE', 'TASK', 'NODE_ABORT']),
    resolve: (event: StreamEvent) => event,
  }),
}));
