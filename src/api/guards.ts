import { type GraphQLField, type GraphQLResolveInfo, type GraphQLSchema, isObjectType } from 'graphql';
import type { Context } from '../graphql/context.ts';
import type { FieldNeeds } from '../graphql/field-needs.ts';
import type { FieldArguments, RootRules, Rule } from '../graphql/rules.ts';
import { storableArguments } from './arguments.ts';
import { endedSignIns } from './ended-sign-ins.ts';
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

/** What stands around a resolver: it calls `next`, or not. */
export type Middleware = (next: Resolver, ...call: Parameters<Resolver>) => unknown;

/** A field as its guards see it. */
export interface GuardedField {
  readonly name: string;
  readonly hasArguments: boolean;
  readonly needs: FieldNeeds;
}

/** A field of Query, Mutation or Subscription. */
export interface GuardedRootField extends GuardedField {
  readonly rule: Rule;
  /** The rule as graphql-shield runs it: of Query and Mutation only. */
  readonly middleware: Middleware | undefined;
}

/**
 * What stands in front of each field, outermost first. Arguments come first, since a rule may ask the database for what
 * an argument names. Objects that stand for a protected resource are guarded on the edge that leads to them
 * (src/graphql/guarded-edge.ts).
 */
const guards = {
  Query: [storableArguments, recordedRefusals, allowed],
  Mutation: [storableArguments, recordedRefusals, allowed, watchedLongPoll, endedSignIns],
  /** In front of `subscribe`. */
  Subscription: [storableArguments, recordedRefusals, watchedSubscription],
  /** Fields of every other type. */
  nested: [storableArguments],
};

type RootName = keyof Required<RootRules>;

/**
 * Puts the guards in front of every field.
 *
 * @throws Error when a root field has no rule, or a rule no field.
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
