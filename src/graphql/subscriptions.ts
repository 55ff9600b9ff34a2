import type { GraphQLSchema } from 'graphql';
import { forgetGrants } from '../access/granted.ts';
import { NO_ID } from '../platform/ids.ts';
import { type Context, newLoaders } from './context.ts';
import type { FieldArguments, RuleTable } from './permissions.ts';

/**
 * Puts the rule of each subscription in front of its `subscribe`, so that nothing opens for who may not watch: shield
 * does not run there. And gives each event loaders of its own, so that it shows what is so when it comes.
 */
export function guardSubscriptions(schema: GraphQLSchema, rules: RuleTable): void {
  for (const [name, field] of Object.entries(schema.getSubscriptionType()?.getFields() ?? {})) {
    const rule = rules[name];
    const open = field.subscribe;
    if (!rule || !open) throw new Error(`Subscription.${name} has no rule, or nothing to subscribe to`);
    field.subscribe = async (root, args: FieldArguments, context: Context, info) => {
      const verdict = await rule.decide(args, context);
      if (verdict !== true) throw verdict;
      const events = (await open(root, args, context, info)) as AsyncIterable<unknown>;
      return withFreshLoaders(events, context);
    };
  }
}

async function* withFreshLoaders(events: AsyncIterable<unknown>, context: Context) {
  for await (const event of events) {
    context.loaders = newLoaders(context.caller?.tenantId ?? NO_ID);
    if (context.caller) forgetGrants(context.caller);
    yield event;
  }
}
