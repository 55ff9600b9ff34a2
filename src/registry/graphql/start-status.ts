import { builder } from '../../graphql/builder.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import type { StartStatus } from '../store/start-status.ts';

/** The fields that the status of a schedule and of a trigger have in common. */

type Fields<Row> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Row>;

/** When the version was activated, and by whom. @param since  what begins with the activation. */
export const activationFields = <Row extends StartStatus>(t: Fields<Row>, since: string) => ({
  activatedAt: t.field({
    type: 'DateTime',
    description: `When the version was last activated. ${since}`,
    resolve: ({ activatedAt }) => activatedAt,
  }),
  principal: t.field({
    type: PrincipalType,
    nullable: true,
    description:
      'The user who activated the version. The executions are started as this user, who must still be allowed to start them.',
    resolve: ({ activatedById }, _args, { loaders }) => loaders.publicUser.load(activatedById),
  }),
});

type Paused = StartStatus & { readonly pausedAt: Date };

/** Who paused something, when and why. @param what  what is paused, such as `the schedule`. */
export const pauseType = (name: string, what: string) =>
  builder.objectRef<Paused>(name).implement({
    description: `Who paused ${what}, when and why.`,
    fields: (t) => ({
      at: t.expose('pausedAt', { type: 'DateTime', description: `When a user paused ${what}.` }),
      principal: t.field({
        type: PrincipalType,
        nullable: true,
        description: 'The user who did this.',
        resolve: ({ pausedById }, _args, { loaders }) =>
          pausedById === null ? null : loaders.publicUser.load(pausedById),
      }),
      reason: t.string({
        description: 'The reason that the user gave.',
        resolve: ({ pauseReason }) => pauseReason ?? '',
      }),
    }),
  });

/** The row with its pause; null if it is not paused. */
export const pauseOf = (row: StartStatus): Paused | null =>
  row.pausedAt && { ...row, pausedAt: row.pausedAt };

/** Why an execution could not be started. */
export interface StartFailure {
  readonly at: Date;
  readonly code: string;
  readonly message: string;
}

/** The latest failure; null if there is none. */
export const startFailureIn = ({ errorAt, errorCode, errorMessage }: StartStatus): StartFailure | null =>
  errorAt && { at: errorAt, code: errorCode ?? 'INTERNAL', message: errorMessage ?? '' };

/** @param at  when it happened. */
export const failureFields = <Row extends StartFailure>(t: Fields<Row>, at: string) => ({
  at: t.field({ type: 'DateTime', description: at, resolve: (failure) => failure.at }),
  code: t.string({
    description: 'The code of the error, such as `PERMISSION_DENIED`, as `createExecution` answers it.',
    resolve: ({ code }) => code,
  }),
  message: t.string({ description: 'What went wrong, for people.', resolve: ({ message }) => message }),
});
