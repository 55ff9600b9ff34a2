import type { ExecutionResult } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { challengesAfter } from '../sign-in/authenticate.ts';
import type { EdgeContext } from './graphql.ts';

/**
 * Answers 401 with the challenges to a stranger who is refused everything. Kerberos clients send no ticket before they
 * are asked for one; without Kerberos a stranger is told in the body alone, as GraphQL clients expect. Source: RFC 4559;
 * Armada adds its challenge to every unauthenticated reply, jobs.md §8.2.
 */
export function challengedStrangers(): Plugin<object, EdgeContext> {
  return {
    onResultProcess({ result, setResult, serverContext }) {
      const { caller } = serverContext as unknown as EdgeContext;
      if (caller || Array.isArray(result) || isAsyncIterable(result) || !isRefusedWhole(result)) return;
      const headers = { 'www-authenticate': challengesAfter().join(', ') };
      setResult({ ...result, extensions: { ...result.extensions, http: { status: 401, headers } } });
    },
  };
}

function isRefusedWhole({ data, errors = [] }: ExecutionResult): boolean {
  const isNothing = Object.values(data ?? {}).every((value) => value === null);
  return (
    isNothing &&
    errors.length > 0 &&
    errors.every(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED')
  );
}
