import {
  type ExecutionArgs,
  type ExecutionResult,
  type FragmentDefinitionNode,
  getOperationAST,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { rules } from '../api/schema.ts';
import { topLevelError } from '../graphql/errors.ts';
import { anyone, type RuleTable } from '../graphql/rules.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { challengesAfter } from '../sign-in/authenticate.ts';
import type { EdgeContext } from './graphql.ts';

/**
 * Refuses operations of callers who are not signed in if no field of the operation is open to them. This happens before
 * their variables are checked, which may be large.
 */
export function refusedStrangers(): Plugin {
  return {
    onExecute({ args, context, setResultAndStopExecution: stop }) {
      if (isInVain(args, context)) stop(refusal());
    },
    onSubscribe({ args, context, setResultAndStopExecution: stop }) {
      if (isInVain(args, context)) stop(refusal());
    },
  };
}

const refusal = (): ExecutionResult => ({ data: null, errors: [topLevelError(new UnauthenticatedError())] });

const tables = { query: rules.Query, mutation: rules.Mutation, subscription: rules.Subscription };

function isInVain({ document, operationName }: ExecutionArgs, context: unknown): boolean {
  if ((context as EdgeContext).caller) return false;
  const operation = getOperationAST(document, operationName);
  if (!operation) return false;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  return !asksForOpen(operation.selectionSet, tables[operation.operation], fragments);
}

/** @param fragments  the fragments that were not checked yet. Each is checked once. */
function asksForOpen(
  { selections }: SelectionSetNode,
  table: RuleTable,
  fragments: Map<string, FragmentDefinitionNode>,
): boolean {
  return selections.some((selection) => {
    if (selection.kind === Kind.FIELD)
      return selection.name.value.startsWith('__') || table[selection.name.value] === anyone;
    if (selection.kind === Kind.INLINE_FRAGMENT) return asksForOpen(selection.selectionSet, table, fragments);
    const fragment = fragments.get(selection.name.value);
    fragments.delete(selection.name.value);
    return fragment !== undefined && asksForOpen(fragment.selectionSet, table, fragments);
  });
}

/**
 * Answers 401 with the challenges if a caller who is not signed in is refused everything. Kerberos clients send a
 * ticket only after a challenge. Without Kerberos, only the body has the refusal, as GraphQL clients expect. Source:
 * RFC 4559. Armada adds its challenge to every unauthenticated reply.
 */
export function withChallenge(result: ExecutionResult, caller: Caller | null): ExecutionResult {
  if (caller || !serverConfig.kerberos || !isRefusedWhole(result)) return result;
  const headers = { 'www-authenticate': challengesAfter().join(', ') };
  return { ...result, extensions: { ...result.extensions, http: { status: 401, headers } } };
}

function isRefusedWhole({ data, errors = [] }: ExecutionResult): boolean {
  const isNothing = Object.values(data ?? {}).every((value) => value === null);
  return (
    isNothing &&
    errors.length > 0 &&
    errors.every(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')
  );
}
