import type { WorkError } from '../platform/work-error.ts';
import { builder } from './builder.ts';
import { ErrorKindEnum } from './error-kind.ts';

/** For the failures of executions, nodes, attempts and runs of jobs. */
export const WorkErrorType = builder.objectRef<WorkError>('WorkError').implement({
  description: 'Why an execution, a node, an attempt or a run of a job failed.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'The kind of error, a fixed word for programs such as `CommandNotFound`. The executor or the engine chooses it.',
    }),
    message: t.exposeString('message', {
      description: 'What happened, for people. In lists of executions and nodes it is cut to 100 bytes.',
    }),
    kind: t.expose('kind', {
      type: ErrorKindEnum,
      description: 'Whether the cause is the work itself or the system that runs it.',
    }),
  }),
});
