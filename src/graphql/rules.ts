import { closedTo, type Find, type FoundObject, refusal, refusalTargetOf } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import type { Caller } from '../platform/caller.ts';
import { type Refusal, UnauthenticatedError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import type { Context } from './context.ts';

// Rules read the arguments of all fields. Their types are checked where the object of a rule is written.
export type FieldArguments = Readonly<Record<string, unknown>>;

/** The name of the object of a field, in refusals and in the audit log. */
export interface ObjectName {
  readonly kind: ObjectKind;
  key(args: FieldArguments, context: Context): string;
  /** The id of the object, if it is known without a read. */
  id?(context: Context): string;
}

/** How a rule finds an object whose grants decide. */
export interface Finder extends ObjectName {
  target(args: FieldArguments, context: Context): Promise<Target | null>;
  /** Whether the caller may read something inside of the object. Then lists of it are not hidden. */
  within?(target: Target | null, args: FieldArguments, context: Context): Promise<boolean>;
  /** The rule only checks whether the caller may read the object. The command checks the level of the permission. */
  readonly levelIsAskedLater?: boolean;
}

/** How a rule finds an object without grants, such as a user or a group: only roles decide about it. */
export interface Lookup extends ObjectName {
  lookUp(args: FieldArguments, context: Context): Promise<FoundObject | null>;
}

/** Decides one call. */
export interface Rule {
  /** True, or the refusal. */
  decide(args: FieldArguments, context: Context): Promise<true | Error>;
  /** What the call asks for. The audit log needs it if the call is refused after the rule. */
  asks(args: FieldArguments, context: Context): Promise<Required<Refusal>>;
}

export type RuleTable = Readonly<Record<string, Rule>>;

/** The caller needs `permission`: on the object of the field if `object` is given. */
export function can(permission: Permission, object?: ObjectName | Finder | Lookup): Rule {
  return {
    decide: decideForCallers(async (args, context, caller) => {
      return (await refusal(caller, permission, object && findOf(object, args, context))) ?? true;
    }),
    asks: async (args, context) => ({
      action: permission,
      target: object ? await refusalTargetOf(findOf(object, args, context)) : null,
    }),
  };
}

function findOf(object: ObjectName | Finder | Lookup, args: FieldArguments, context: Context): Find {
  const { kind } = object;
  const name = { kind, key: object.key(args, context), id: object.id?.(context) ?? null };
  if ('lookUp' in object) return { ...name, lookUp: () => object.lookUp(args, context) };
  if (!('target' in object)) return name;
  const { within, levelIsAskedLater = false } = object;
  return {
    ...{ ...name, levelIsAskedLater, target: () => object.target(args, context) },
    ...(within ? { within: (target: Target | null) => within(target, args, context) } : {}),
  };
}

/** A rule that depends on the arguments. It is chosen only for signed-in callers, because it may read the database. */
export function ruleBy(choose: (args: never, context: Context) => Rule | Promise<Rule>): Rule {
  return {
    decide: decideForCallers(async (args, context) => {
      return await (await choose(args as never, context)).decide(args, context);
    }),
    asks: async (args, context) => await (await choose(args as never, context)).asks(args, context),
  };
}

/**
 * Refuses callers who are not signed in. If the decision itself fails, this is not a refusal: if the database is down,
 * the answer must be UNAVAILABLE.
 */
function decideForCallers(
  decide: (args: FieldArguments, context: Context, caller: Caller) => Promise<true | Error>,
): Rule['decide'] {
  return async (args, context) => {
    if (!context.caller) return new UnauthenticatedError();
    try {
      return await decide(args, context, context.caller);
    } catch (error) {
      return error instanceof Error ? error : new Error('a rule failed', { cause: error });
    }
  };
}

/** Open to everybody, even without a sign-in. A test in test/architecture lists each use. */
export const anyone: Rule = {
  decide: async () => true,
  asks: async () => ({ action: 'anyone', target: null }),
};

/**
 * The caller's role, scopes and token must allow `permission`. For a mutation of many objects, whose command asks for
 * the level on each of them.
 */
export const canOnSome = (permission: Permission): Rule => ({
  decide: decideForCallers(async (_args, _context, caller) => closedTo(caller, permission) ?? true),
  asks: async () => ({ action: permission, target: null }),
});

/** Open to every caller, because the field itself asks the rules of the objects that it finds. */
export const anyCaller = (action: string): Rule => ({
  decide: decideForCallers(async () => true),
  asks: async () => ({ action, target: null }),
});

/** The table of rules for each root type. */
export interface RootRules {
  readonly Query?: RuleTable;
  readonly Mutation?: RuleTable;
  readonly Subscription?: RuleTable;
}
