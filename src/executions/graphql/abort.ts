import { builder } from '../../graphql/builder.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';

/** The columns of a request to stop something. */
interface AbortColumns {
  readonly abortCause: string | null;
  readonly abortPrincipalId: string | null;
  readonly abortIsForced?: boolean;
}

export const AbortType = builder.objectRef<AbortColumns>('ExecutionAbort').implement({
  description: 'The request of a user to stop an execution or a node.',
  fields: (t) => ({
    cause: t.string({
      description: 'The reason of the latest request, at most 500 characters.',
      resolve: ({ abortCause }) => abortCause ?? '',
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who sent the latest request.',
      resolve: ({ abortPrincipalId }, _args, { loaders }) =>
        abortPrincipalId ? loaders.publicUser.load(abortPrincipalId) : null,
    }),
    isForced: t.boolean({
      description: 'Whether the execution does not wait until its work has stopped. False for a node.',
      resolve: ({ abortIsForced }) => abortIsForced ?? false,
    }),
  }),
});

/** Null if nobody wanted to stop it. */
export const abortOf = <Columns extends AbortColumns>(row: Columns): Columns | null =>
  row.abortPrincipalId === null ? null : row;
