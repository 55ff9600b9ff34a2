import type { ErrorKind } from '../generated/prisma/enums.ts';
import { enumOf } from './enum.ts';

/** For the failures of executions, nodes, attempts and jobs. */
export const ErrorKindEnum = enumOf<ErrorKind>('ErrorKind', 'What caused a failure.', {
  UNKNOWN: 'The cause is unknown.',
  USER: 'The work itself failed: the code of the task, or its input.',
  SYSTEM: 'The system failed: the executor, its machine or the server.',
});
