import { createRequire } from 'node:module';
import type { GraphQLSchema } from 'graphql';
import type { Context } from '../graphql/context.ts';
import type { FieldArguments, RootRules, Rule, RuleTable } from '../graphql/rules.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { GuardedRootField, Middleware, Resolver } from './guards.ts';

// We load the CommonJS build, because the ES build does not load from Node 23 on. `chain` and `race` do not work in
// either.
const { allow, rule, shield } = createRequire(import.meta.url)(
  'graphql-shield',
) as typeof import('graphql-shield');

/** Merges the rules of all capabilities into one table: who may call which root field. */
export function mergeRules(tables: readonly RootRules[]): Required<RootRules> {
  return {
    Query: Object.assign({}, ...tables.map((table) => table.Query)),
    Mutation: Object.assign({}, ...tables.map((table) => table.Mutation)),
    Subscription: Object.assign({}, ...tables.map((table) => table.Subscription)),
  };
}

/**
 * The rules of Query and Mutation as middleware of graphql-shield, by field. Subscriptions ask their rules themselves.
 */
export function shieldMiddleware(
  schema: GraphQLSchema,
  { Query, Mutation }: Required<RootRules>,
): Record<string, Record<string, Middleware>> {
  const shielded = shield(
    { Query: shieldRules(Query), Mutation: shieldRules(Mutation) },
    {
      allowExternalErrors: true,
      fallbackRule: allow,
      fallbackError: new UnauthenticatedError(),
    },
  );
  return shielded.generate(schema) as Record<string, Record<string, Middleware>>;
}

/** We turn off the cache of graphql-shield, because it can answer for one object with the decision about another. */
function shieldRules(table: RuleTable) {
  const wrap = ({ decide }: Rule) =>
    rule({ cache: 'no_cache' })((_parent: unknown, args: FieldArguments, context: Context) =>
      decide(args, context),
    );
  return Object.fromEntries(Object.entries(table).map(([field, entry]) => [field, wrap(entry)]));
}

/** Asks the rule of the field, and continues only if the rule allows the call. */
export function allowed(next: Resolver, { middleware }: GuardedRootField): Resolver {
  return (parent, args, context, info) => middleware?.(next, parent, args, context, info);
}

/** @throws Error if a root field has no rule, or if a rule has no field. */
export function requireRules(schema: GraphQLSchema, rules: Required<RootRules>): void {
  for (const [name, type] of [
    ['Query', schema.getQueryType()],
    ['Mutation', schema.getMutationType()],
    ['Subscription', schema.getSubscriptionType()],
  ] as const) {
    const fields = Object.keys(type?.getFields() ?? {});
    const without = fields.filter((field) => !(field in rules[name]));
    const unknown = Object.keys(rules[name]).filter((field) => !fields.includes(field));
    if (without.length > 0) throw new Error(`no rule for ${name}.${without.join(`, ${name}.`)}`);
    if (unknown.length > 0)
      throw new Error(`a rule for ${name}.${unknown.join(`, ${name}.`)}, which do not exist`);
  }
}
