import type { GraphQLSchema } from 'graphql';
import { applyMiddleware, type IMiddlewareFieldMap } from 'graphql-middleware';

import { allow, deny, rule, shield } from 'graphql-shield';
import { refusal } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { Context } from './context.ts';
import { shownError, topLevelError } from './errors.ts';

/**
 * Who may call which root field: one table, put together from each capability's `rules.ts`, denied by default. The
 * same rules guard queries and mutations (as graphql-shield's middleware) and subscriptions (before they open, which
 * shield does not do: src/api/subscriptions.ts asks them).
 */

/** How a rule finds the object that a field is about. */
export interface Finder {
  readonly kind: string;
  key(args: FieldArguments): string;
  target(args: FieldArguments, context: Context): Promise<Target | null>;
  /** Whether the caller may read something inside of it: then lists of that are not hidden. */
  within?(target: Target | null, args: FieldArguments, context: Context): Promise<boolean>;
}

// The rules read arguments of every field; their types are checked where the finder is written.
export type FieldArguments = Readonly<Record<string, unknown>>;

/** Decides one call: true, or the refusal as the caller will read it. */
export interface Rule {
  decide(args: FieldArguments, context: Context): Promise<true | Error>;
}

export type RuleTable = Readonly<Record<string, Rule>>;

/** The caller needs `permission`, on the object that `finder` finds where it is about one. */
export function can(permission: Permission, finder?: Finder): Rule {
  return {
    async decide(args, context) {
      try {
        if (!context.caller) return topLevelError(new UnauthenticatedError());
        const find = finder && {
          kind: finder.kind,
          key: finder.key(args),
          target: () => finder.target(args, context),
          ...(finder.within
            ? {
                within: (target: Target | null) =>
                  finder.within?.(target, args, context) ?? Promise.resolve(false),
              }
            : {}),
        };
        const refused = await refusal(context.caller, permission, find);
        return refused ? topLevelError(refused) : true;
      } catch (error) {
        return failure(error, context);
      }
    },
  };
}

/** A failure to decide is no refusal: a dead database must read UNAVAILABLE. */
function failure(error: unknown, context: Context): Error {
  const shown = shownError(error);
  if (shown.extensions['code'] === 'INTERNAL') context.log.error({ err: error }, 'rule failed');
  return shown;
}

/** A rule that depends on what is asked; only for callers, whom it may look things up for. */
export function ruleBy(choose: (args: never, context: Context) => Rule | Promise<Rule>): Rule {
  return {
    async decide(args, context) {
      try {
        if (!context.caller) return topLevelError(new UnauthenticatedError());
        const rule = await choose(args as never, context);
        return await rule.decide(args, context);
      } catch (error) {
        return failure(error, context);
      }
    },
  };
}

/** Open to everyone, signed in or not. Each use is listed in test/architecture. */
export const anyone: Rule = { decide: async () => true };

/** One table of rules a root type. */
export interface RootRules {
  readonly Query?: RuleTable;
  readonly Mutation?: RuleTable;
  readonly Subscription?: RuleTable;
}

export function mergeRules(tables: readonly RootRules[]): Required<RootRules> {
  return {
    Query: Object.assign({}, ...tables.map((table) => table.Query)),
    Mutation: Object.assign({}, ...tables.map((table) => table.Mutation)),
    Subscription: Object.assign({}, ...tables.map((table) => table.Subscription)),
  };
}

/**
 * The schema with its rules in place. Only fields with a rule are wrapped: shield() by itself would wrap every field of
 * every type in two awaited calls, which costs a fifth of a large answer.
 *
 * @throws Error when a root field has no rule, or a rule no field.
 */
export function withRules(schema: GraphQLSchema, rules: Required<RootRules>): GraphQLSchema {
  assertEveryRootFieldHasARule(schema, rules);
  const generator = shield(
    {
      Query: { '*': deny, ...shieldRules(rules.Query) },
      Mutation: { '*': deny, ...shieldRules(rules.Mutation) },
    },
    {
      allowExternalErrors: true,
      fallbackRule: allow,
      fallbackError: topLevelError(new UnauthenticatedError()),
    },
  );
  const { Query, Mutation } = generator.generate(schema) as Record<string, IMiddlewareFieldMap>;
  return applyMiddleware(schema, {
    Query: onlyRuled(Query, rules.Query),
    Mutation: onlyRuled(Mutation, rules.Mutation),
  });
}

/** Without shield's own cache, which answers for one object with the verdict on another. */
function shieldRules(table: RuleTable) {
  const wrap = ({ decide }: Rule) =>
    rule({ cache: 'no_cache' })((_parent: unknown, args: FieldArguments, context: Context) =>
      decide(args, context),
    );
  return Object.fromEntries(Object.entries(table).map(([field, entry]) => [field, wrap(entry)]));
}

function onlyRuled(middleware: IMiddlewareFieldMap | undefined, table: RuleTable): IMiddlewareFieldMap {
  return Object.fromEntries(Object.entries(middleware ?? {}).filter(([field]) => field in table));
}

export function assertEveryRootFieldHasARule(schema: GraphQLSchema, rules: Required<RootRules>): void {
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
