import { type GraphQLField, type GraphQLResolveInfo, type GraphQLSchema, isObjectType } from 'graphql';
import type { Context } from '../graphql/context.ts';
import type { FieldNeeds } from '../graphql/field-needs.ts';
import type { FieldArguments, RootRules, Rule } from '../graphql/rules.ts';
import { storableArguments } from './arguments.ts';
import { endedSignIns } from './ended-sign-ins.ts';
import { freshLoaders } from './fresh-loaders.ts';
import { watchedLongPoll } from './long-polls.ts';
import { allowed, requireRules, shieldMiddleware } from './permissions.ts';
import { recordedRefusals } from './refusals.ts';
import { watchedSubscription } from './subscriptions.ts';

export type Resolver = (
  parent: unknown,
  args: FieldArguments,
  context: Context,
  info: GraphQLResolveInfo,
) => unknown;

/** A function around a resolver. It decides whether to call `next`. */
export type Middleware = (next: Resolver, ...call: Parameters<Resolver>) => unknown;

/** A field, as its guards see it. */
export interface GuardedField {
  readonly name: string;
  readonly hasArguments: boolean;
  readonly needs: FieldNeeds;
}

/** A field of Query, Mutation or Subscription. */
export interface GuardedRootField extends GuardedField {
  readonly rule: Rule;
  /** The rule, as graphql-shield runs it. Only for fields of Query and Mutation. */
  readonly middleware: Middleware | undefined;
}

/**
 * The guards of each field, in the order in which they run. Arguments are checked first, because a rule may use them in
 * a query to the database. Objects that stand for a protected resource are guarded at the edge that leads to them
 * (src/graphql/guarded-edge.ts).
 */
const guards = {
  Query: [storableArguments, recordedRefusals, allowed],
  Mutation: [storableArguments, freshLoaders, recordedRefusals, allowed, watchedLongPoll, endedSignIns],
  /** The guards of `subscribe`. */
  Subscription: [storableArguments, recordedRefusals, watchedSubscription],
  /** The guards of the fields of all other types. */
  nested: [storableArguments],
};

type RootName = keyof Required<RootRules>;

/**
 * Puts the guards before every field.
 *
 * @throws Error if a root field has no rule, or if a rule has no field.
 */
export function guardFields(schema: GraphQLSchema, rules: Required<RootRules>): void {
  requireRules(schema, rules);
  const middleware = shieldMiddleware(schema, rules);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const root = isRootName(type.name) ? type.name : null;
    for (const field of Object.values(type.getFields()))
      if (root) guardRoot(field, root, rules[root][field.name] as Rule, middleware[root]?.[field.name]);
      else if (field.resolve) field.resolve = inFront(guards.nested, field.resolve, guarded(field));
  }
}

function guardRoot(
  field: GraphQLField<unknown, Context>,
  root: RootName,
  rule: Rule,
  middleware: Middleware | undefined,
): void {
  const step = root === 'Subscription' ? 'subscribe' : 'resolve';
  const next = field[step];
  if (!next) throw new Error(`${root}.${field.name} has no \`${step}\``);
  field[step] = inFront<GuardedRootField>(guards[root], next, {
    ...guarded(field),
    rule,
    middleware,
  });
}

function inFront<Field>(
  all: readonly ((next: Resolver, field: Field) => Resolver)[],
  next: Resolver,
  field: Field,
): Resolver {
  return all.reduceRight((inner, guard) => guard(inner, field), next);
}

const guarded = ({ name, args, extensions }: GraphQLField<unknown, Context>): GuardedField => ({
  name,
  hasArguments: args.length > 0,
  needs: extensions,
});

const isRootName = (name: string): name is RootName =>
  name === 'Query' || name === 'Mutation' || name === 'Subscription';
