import type { ErrorKind } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { inputOf } from '../../graphql/input.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { InvalidArgumentError, ResourceExhaustedError } from '../../platform/errors.ts';
import { type ReportOutcome, reportJobEvents } from '../commands/report-job-events.ts';
import { reportRunLog } from '../commands/report-run-log.ts';
import type { ReportableKind } from '../domain/states.ts';
import { LogStreamEnum } from './job.ts';

/**
 * The calls with which executors report what happened to runs, and what runs printed. All require the scope `executor`,
 * which only service accounts with the role SYSTEM can have.
 */

const JobEventReportKindEnum = enumOf<ReportableKind>(
  'JobEventReportKind',
  'What an executor can report about a run.',
  {
    PENDING: 'The executor has the run, and waits for free resources or downloads images and files.',
    RUNNING: 'The program runs.',
    SUCCEEDED: 'The program succeeded. `outputs` has its outputs.',
    FAILED: 'The program failed, or could not be run. `error` says why.',
    CANCELLED: 'The server asked for the end of the run, and nothing of it runs any more.',
  },
);

const JobErrorKindEnum = enumOf<Exclude<ErrorKind, 'UNKNOWN'>>(
  'JobErrorKind',
  'What caused a failure. An executor must know the cause, so there is no UNKNOWN.',
  {
    USER: 'The work itself failed: the code of the task, or its input.',
    SYSTEM: 'The system failed: the executor or its machine.',
  },
);

const JobErrorInput = builder.inputType('JobErrorInput', {
  description: 'Why a run failed.',
  fields: (t) => ({
    code: t.string({
      required: true,
      description: 'The kind of error, a fixed word for programs, at most 255 characters.',
    }),
    message: t.string({
      required: true,
      description: 'What happened, for people. The server keeps the first 8192 characters.',
    }),
    kind: t.field({
      type: JobErrorKindEnum,
      required: true,
      description: 'Whether the cause is the work itself or the system that runs it.',
    }),
  }),
});

const JobEventInput = builder.inputType('JobEventInput', {
  description: 'One report about a run.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    kind: t.field({ type: JobEventReportKindEnum, required: true, description: 'What happened to it.' }),
    occurredAt: t.field({
      type: 'DateTime',
      required: true,
      description: "When it happened, by the executor's clock.",
    }),
    exitCode: t.int({ description: 'The exit code of the program, if it has ended by itself.' }),
    error: t.field({
      type: JobErrorInput,
      description: 'Why the run failed. Required for FAILED, and not allowed for other states.',
    }),
    outputs: t.field({
      type: 'JSON',
      description:
        'Only for SUCCEEDED: the outputs as plain values, as an object with the name of each output.',
    }),
    outputLiterals: t.field({
      type: 'JSON',
      description:
        "Only for SUCCEEDED: the outputs that plain values do not say completely, as an object with Flyte's Literal by the name of each output: for example if several variants of a union accept the plain value. For these outputs the literal counts, and the plain value is ignored.",
    }),
  }),
});

const ReportJobEventsInput = builder.inputType('ReportJobEventsInput', {
  description: 'Reports about runs.',
  fields: (t) => ({
    events: t.field({
      type: [JobEventInput],
      required: true,
      description: 'The reports, oldest first, at most 500.',
    }),
  }),
});

const ReportOutcomeEnum = enumOf<ReportOutcome>('ReportOutcome', 'What the server did with one report.', {
  APPLIED: 'The server stored the report.',
  REPEATED: 'The run is already in this state or a later one. Nothing changed.',
  FENCED:
    'The run has ended in another way, or it does not belong to this executor. The executor must stop it; further reports about it are ignored.',
});

const ReportJobEventsPayload = builder
  .objectRef<{ outcomes: ReportOutcome[] }>('ReportJobEventsPayload')
  .implement({
    description: 'What `reportJobEvents` answers when it succeeds.',
    fields: (t) => ({
      outcomes: t.expose('outcomes', {
        type: [ReportOutcomeEnum],
        description: 'One outcome for each event, in the order of the request.',
      }),
    }),
  });

const LogChunkInput = builder.inputType('LogChunkInput', {
  description: 'A piece of the output of a run.',
  fields: (t) => ({
    sequence: t.int({
      required: true,
      description:
        'The number of the piece, from 0 without gaps. The server ignores a number that is not higher than all numbers that it has.',
    }),
    stream: t.field({
      type: LogStreamEnum,
      required: true,
      description: 'The output stream that the text was written to.',
    }),
    text: t.string({ required: true, description: 'The text, at most 64 KiB.' }),
    printedAt: t.field({
      type: 'DateTime',
      required: true,
      description: 'When the run printed the text, by the clock of the executor.',
    }),
    isCut: t.boolean({
      defaultValue: false,
      description:
        'Whether the program did not print the text, but the executor: it says that output is missing here.',
    }),
  }),
});

const ReportRunLogInput = builder.inputType('ReportRunLogInput', {
  description: 'The output of a run since the last report.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    chunks: t.field({
      type: [LogChunkInput],
      required: true,
      description: 'The pieces in their order, at most 200.',
    }),
    isComplete: t.boolean({
      defaultValue: false,
      description:
        'Whether nothing more comes after these pieces. Then the server ignores further pieces, and subscriptions to the log end.',
    }),
  }),
});

const ReportRunLogPayload = builder.objectRef<{ stored: number }>('ReportRunLogPayload').implement({
  description: 'What `reportRunLog` answers when it succeeds.',
  fields: (t) => ({
    stored: t.exposeInt('stored', {
      description:
        'How many of the pieces the server stored. It ignores repeated pieces, and everything after the first 2 MiB of a run.',
    }),
  }),
});

builder.mutationFields((t) => ({
  reportJobEvents: t.field({
    type: ReportJobEventsPayload,
    nullable: true,
    description:
      'Reports what happened to runs. Requires the scope `executor`. It is safe to repeat a report.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError, ResourceExhaustedError] },
    args: inputOf(ReportJobEventsInput),
    resolve: async (_root, { input }, context) => ({
      outcomes: await reportJobEvents(
        callerOf(context),
        input.events.map((event) => ({
          runId: event.run,
          kind: event.kind,
          occurredAt: event.occurredAt,
          exitCode: event.exitCode ?? null,
          error: event.error ?? null,
          outputs: (event.outputs as Record<string, unknown> | null | undefined) ?? null,
          outputLiterals: (event.outputLiterals as Record<string, unknown> | null | undefined) ?? null,
        })),
        controlPlaneConfig,
      ),
    }),
  }),
  reportRunLog: t.field({
    type: ReportRunLogPayload,
    nullable: true,
    description:
      'Reports the output of a run. Requires the scope `executor`. It is safe to repeat a report. The server keeps the first 2 MiB of a run, and then one piece that says that the rest is missing.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError] },
    args: inputOf(ReportRunLogInput),
    resolve: async (_root, { input }, context) => ({
      stored: await reportRunLog(callerOf(context), input.run, {
        chunks: input.chunks.map((chunk) => ({ ...chunk, isCut: chunk.isCut ?? false })),
        isComplete: input.isComplete ?? false,
      }),
    }),
  }),
}));
