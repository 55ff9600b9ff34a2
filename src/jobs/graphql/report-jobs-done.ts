import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { inputOf } from '../../graphql/input.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { type DoneOutcome, reportJobsDone } from '../commands/report-jobs-done.ts';

const DoneOutcomeEnum = enumOf<DoneOutcome>(
  'DoneOutcome',
  'What the server knows about a run that its executor is done with.',
  {
    ENDED: 'The run had not ended for the server, and this call ended it.',
    ALREADY_ENDED: 'The run had already ended, for example because its result was reported. Nothing changed.',
    NOT_FOUND: 'There is no such run, or it does not belong to this service account.',
  },
);

const ReportJobsDoneInput = builder.inputType('ReportJobsDoneInput', {
  description: 'Runs that an executor has finished and cleaned up.',
  fields: (t) => ({
    runs: t.idList({
      required: true,
      description:
        'The ids of the runs, at most 500. Nothing of them is left on the machines of the executor.',
    }),
  }),
});

const ReportJobsDonePayload = builder
  .objectRef<{ readonly outcomes: readonly DoneOutcome[] }>('ReportJobsDonePayload')
  .implement({
    description: 'What `reportJobsDone` answers when it succeeds.',
    fields: (t) => ({
      outcomes: t.field({
        type: [DoneOutcomeEnum],
        description:
          'One outcome for each run, in the order of the request. The executor can forget all these runs.',
        resolve: ({ outcomes }) => [...outcomes],
      }),
    }),
  });

builder.mutationField('reportJobsDone', (t) =>
  t.field({
    type: ReportJobsDonePayload,
    nullable: true,
    description:
      'Tells the server that nothing is left of runs. Requires the scope `executor`. Report the result of a run with `reportJobEvents` first: this mutation does not change a run that has ended. A job without a result becomes CANCELLED or PREEMPTED if it was to be stopped, and otherwise FAILED with the code `ResultMissing`; this also ends a job that waits because the lease of the run has expired. It is safe to repeat the call.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(ReportJobsDoneInput),
    resolve: async (_root, { input }, context) => ({
      outcomes: await reportJobsDone(callerOf(context), input.runs, {
        leaseSeconds: controlPlaneConfig.leaseSeconds,
        now: new Date(),
      }),
    }),
  }),
);
