import type { GraphQLSchema } from 'graphql';
import type { Context } from '../graphql/context.ts';
import type { FieldArguments, RuleTable } from '../graphql/rules.ts';
import { WatchedAccess } from './watched-access.ts';

/** Mutations that may wait for long before they answer. */
const longPolls: readonly string[] = ['leaseJobs'];

/**
 * Looks again at the right to a long poll while it waits, as at that of a subscription: whoever loses it meanwhile is
 * refused at once, and handed nothing.
 */
export function guardLongPolls(schema: GraphQLSchema, rules: RuleTable): void {
  for (const name of longPolls) {
    const field = schema.getMutationType()?.getFields()[name];
    const rule = rules[name];
    const resolve = field?.resolve;
    if (!field || !rule || !resolve) throw new Error(`Mutation.${name} has no rule, or does nothing`);
    field.resolve = async (root, args: FieldArguments, context: Context, info) => {
      const access = new WatchedAccess(rule, args, context);
      try {
        const answer = await resolve(root, args, { ...context, signal: access.signal }, info);
        const refusal = await access.refusal();
        if (refusal) throw refusal;
        return answer;
      } finally {
        access.end();
      }
    };
  }
}
