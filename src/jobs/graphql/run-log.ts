import { builder } from '../../graphql/builder.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { readLogEnd } from '../store/logs.ts';
import type { LogChunkRow } from '../store/reads.ts';
import { watchRunLog } from '../watch-run-log.ts';
import { LogChunkType } from './job.ts';

builder.subscriptionField('runLog', (t) =>
  t.field({
    type: LogChunkType,
    description:
      'Sends every piece of the log of a run exactly once: from the first one, or from the one that follows `after`. It begins with what is stored, and goes on while the program runs. It completes when the run has ended and everything was sent; if the executor does not say that the log is complete, a minute after the end of the run.',
    args: {
      run: t.arg.id({ required: true, description: 'The id of the run.' }),
      after: t.arg.int({
        defaultValue: -1,
        description: 'The number of the last piece that you have seen. If left out: from the beginning.',
      }),
    },
    subscribe: async (_root, { run, after }, { signal }) => {
      const sequence = after ?? -1;
      const end = await readLogEnd(run);
      if (!end) throw new NotFoundError('job run', run);
      if (sequence < -1 || sequence >= end.next)
        throw InvalidArgumentError.of(['after'], 'after must be the number of a piece of this log');
      if (end.isDeleted && sequence < end.next - 1) throw expired();
      return pieces(run, sequence, signal);
    },
    resolve: (chunk: LogChunkRow) => chunk,
  }),
);

async function* pieces(run: string, after: number, signal: AbortSignal): AsyncGenerator<LogChunkRow> {
  if ((yield* watchRunLog(run, { after, signal })) === 'DELETED') throw expired();
}

const expired = () =>
  new FailedPreconditionError('the log of the run was deleted, because its time was over', {
    path: ['after'],
    reason: 'STREAM_EXPIRED',
  });
