import { errorTypeMap } from '@pothos/plugin-errors';
import { GraphQLError } from 'graphql';
import { noteDenial } from '../authorization/audit.ts';
import type { Context } from '../graphql/context.ts';
import type { FieldArguments, Rule } from '../graphql/rules.ts';
import { logOf } from '../platform/caller.ts';
import { DomainError } from '../platform/errors.ts';
import type { GuardedRootField, Resolver } from './guards.ts';

/**
 * Records each refusal in the audit log when it becomes the answer of a root field. It does not matter whether the rule
 * or the command refuses, or whether the answer is a top-level error or a member of the result union.
 */
export function recordedRefusals(next: Resolver, { rule }: GuardedRootField): Resolver {
  return async (root, args, context, info) => {
    try {
      const answer = await next(root, args, context, info);
      await recordRefusal(answer, rule, args, context);
      return answer;
    } catch (error) {
      await recordRefusal(error, rule, args, context);
      throw error;
    }
  };
}

/** Asks the rule of a field for a call that does not come through GraphQL. @throws the refusal, after recording it. */
export async function requireAllowed(rule: Rule | undefined, context: Context): Promise<void> {
  if (!rule) throw new Error('this field does not exist');
  const verdict = await rule.decide({}, context);
  if (verdict === true) return;
  await recordRefusal(verdict, rule, {}, context);
  throw verdict;
}

/**
 * Errors that are not refusals are left out. So are callers who are not signed in, because they belong to no tenant.
 */
export async function recordRefusal(
  answer: unknown,
  rule: Rule,
  args: FieldArguments,
  context: Context,
): Promise<void> {
  const error = domainErrorIn(answer);
  const { caller } = context;
  if (!error?.refusal || !caller) return;
  const { code, refusal } = error;
  try {
    const { action, target } = refusal;
    const asked = action && target ? { action, target } : await rule.asks(args, context);
    noteDenial(caller, { code, action: action ?? asked.action, target: target ?? asked.target });
  } catch (cause) {
    logOf(caller).error({ err: cause }, 'a refusal could not be recorded');
  }
}

/** A member of a result union is a proxy. Only GraphQL can see its class. */
function domainErrorIn(answer: unknown): Pick<DomainError, 'code' | 'refusal'> | null {
  const error = answer instanceof GraphQLError ? answer.originalError : answer;
  const isMember = typeof error === 'object' && error !== null && errorTypeMap.has(error);
  return isMember || error instanceof DomainError ? (error as DomainError) : null;
}
