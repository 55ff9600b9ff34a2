import type { builder } from '../../graphql/builder.ts';
import { ErrorKindEnum } from '../../graphql/error-kind.ts';

type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;

/** The conditions that the lists of nodes and of attempts share. */
export const partConditions = (t: InputFields, noun: 'nodes' | 'attempts') => ({
  createdAfter: t.field({
    type: 'DateTime',
    description: `Only ${noun} that were created at this time or later.`,
  }),
  createdBefore: t.field({
    type: 'DateTime',
    description: `Only ${noun} that were created before this time.`,
  }),
  startedAfter: t.field({
    type: 'DateTime',
    description: `Only ${noun} that began to run at this time or later.`,
  }),
  startedBefore: t.field({
    type: 'DateTime',
    description: `Only ${noun} that began to run before this time.`,
  }),
  errorKinds: t.field({
    type: [ErrorKindEnum],
    description: `Only ${noun} that failed with an error of one of these kinds.`,
  }),
  errorCodes: t.stringList({ description: `Only ${noun} that failed with one of these codes.` }),
});

/** The orders that they share. */
export const timeOrders = {
  STARTED: 'By the time of the start, earliest first. Those that have not started come last.',
  STARTED_DESCENDING: 'By the time of the start, latest first. Those that have not started come first.',
  UPDATED: 'By the time of the last change, earliest first.',
  UPDATED_DESCENDING: 'By the time of the last change, latest first.',
  DURATION: 'By duration, shortest first. Those without a duration come last.',
  DURATION_DESCENDING: 'By duration, longest first. Those without a duration come first.',
};
