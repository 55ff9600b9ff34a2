import type { WorkError } from '../platform/work-error.ts';
import { builder } from './builder.ts';
import { ErrorKindEnum } from './error-kind.ts';

/** Of every failure that is recorded: an execution's, a node's, an attempt's, a run's of a job. */
export const WorkErrorType = builder.objectRef<WorkError>('WorkError').implement({
  description: 'Why an execution, a node, an attempt or a run of a job failed.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'A stable word for programs, such as `CommandNotFound`; the executor or the engine chooses it.',
    }),
    message: t.exposeString('message', {
      description: 'What happened, for people. Lists of executions and nodes cut it to 100 bytes.',
    }),
    kind: t.expose('kind', { type: ErrorKindEnum, description: 'Whether the work failed, or what ran it.' }),
  }),
});
