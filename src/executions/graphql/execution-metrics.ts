import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { type Span, type SpanOperation, spansOf } from '../domain/spans.ts';
import { ExecutionType } from './execution.ts';
import { durationOf } from './values.ts';

const SpanKindEnum = enumOf<Span['kind']>('SpanKind', 'What a span is about.', {
  EXECUTION: 'The whole execution.',
  NODE: 'A node, from the time when it became ready to run.',
  ATTEMPT: 'An attempt of a task, from the time when it was queued.',
  OPERATION: 'A part of one of these: see `operation`.',
});

const SpanOperationEnum = enumOf<SpanOperation>('SpanOperation', 'What happened in a part of something.', {
  QUEUED: 'It waited: for an executor, for resources, or for its start.',
  SETUP: 'It was being prepared: images and files were downloaded, or its first part had not begun.',
  RUNNING: 'It ran.',
  OVERHEAD: 'Between two of its parts, nothing of it ran.',
  TEARDOWN: 'All its parts were done, and its end was being recorded.',
});

const ExecutionSpanType = builder.objectRef<Span>('ExecutionSpan');
ExecutionSpanType.implement({
  description: 'Where some time of an execution went. Its parts together take all of its time.',
  fields: (t) => ({
    kind: t.expose('kind', { type: SpanKindEnum, description: 'What the span is about.' }),
    nodeId: t.exposeString('nodeId', {
      nullable: true,
      description: 'The id of the node, for a node or an attempt; null otherwise.',
    }),
    retryAttempt: t.exposeInt('retryAttempt', {
      nullable: true,
      description: 'The number of the attempt, from 0; null if the span is not about an attempt.',
    }),
    operation: t.expose('operation', {
      type: SpanOperationEnum,
      nullable: true,
      description: 'What happened; null if the span is about the execution, a node or an attempt.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the span began.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the span ended; null while it goes on.',
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long the span took; null while it goes on.',
      resolve: durationOf,
    }),
    spans: t.field({
      type: [ExecutionSpanType],
      extensions: { listSize: 5 },
      description: 'The parts of the span, by their start.',
      resolve: ({ spans }) => [...spans],
    }),
    isCut: t.exposeBoolean('isCut', {
      description:
        'Whether parts are left out, because the tree would be deeper than `depth`, or because the execution has more than 1000 nodes or 5000 attempts: then only the first ones are measured.',
    }),
  }),
});

const DEFAULT_DEPTH = 4;
const MAX_DEPTH = 20;

builder.objectField(ExecutionType, 'metrics', (t) =>
  t.field({
    type: ExecutionSpanType,
    description:
      'Where the time of the execution went: how long its nodes and their attempts waited, were prepared and ran, and what lay between them.',
    args: {
      depth: t.arg.int({
        defaultValue: DEFAULT_DEPTH,
        description: `How many levels the tree has, from 1 to ${MAX_DEPTH}. Without nodes inside of others, 4 levels have everything: the execution, its nodes, their attempts, and the parts of these.`,
      }),
    },
    resolve: async (execution, args, { loaders }) => {
      const depth = args.depth ?? DEFAULT_DEPTH;
      if (depth < 1 || depth > MAX_DEPTH)
        throw InvalidArgumentError.of(['depth'], `depth must be between 1 and ${MAX_DEPTH}`);
      return spansOf({ execution, ...(await loaders.spanParts.load(execution.id)) }, depth);
    },
  }),
);
