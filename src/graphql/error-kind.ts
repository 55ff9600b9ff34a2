import { builder } from './builder.ts';

/** Of every failure that is recorded: an execution's, a node's, an attempt's, a job's. */
export const ErrorKindEnum = builder.enumType('ErrorKind', {
  description: 'Whose fault: USER, the work itself; SYSTEM, what ran it.',
  values: ['UNKNOWN', 'USER', 'SYSTEM'] as const,
});
