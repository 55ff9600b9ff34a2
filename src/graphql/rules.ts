import { type Find, type FoundObject, refusal, refusalTargetOf } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import type { Caller } from '../platform/caller.ts';
import { type Refusal, UnauthenticatedError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import type { Context } from './context.ts';

// The rules read arguments of every field; their types are checked where the object of the rule is written.
export type FieldArguments = Readonly<Record<string, unknown>>;

/** What a rule calls the object that a field is about, in refusals and in the audit log. */
export interface ObjectName {
  readonly kind: ObjectKind;
  key(args: FieldArguments, context: Context): string;
  /** Its id, where that is known without a look. */
  id?(context: Context): string;
}

/** How a rule finds an object that grants decide about. */
export interface Finder extends ObjectName {
  target(args: FieldArguments, context: Context): Promise<Target | null>;
  /** Whether the caller may read something inside of it: then lists of that are not hidden. */
  within?(target: Target | null, args: FieldArguments, context: Context): Promise<boolean>;
  /** The rule only asks whether the caller may read the object: the command asks for the permission's own level. */
  readonly levelIsAskedLater?: boolean;
}

/** How a rule finds an object that roles alone decide about, such as a user or a group. */
export interface Lookup extends ObjectName {
  lookUp(args: FieldArguments, context: Context): Promise<FoundObject | null>;
}

/** Decides one call. */
export interface Rule {
  /** True, or the refusal. */
  decide(args: FieldArguments, context: Context): Promise<true | Error>;
  /** What the call asks for: what the audit log says of a refusal that comes after the rule. */
  asks(args: FieldArguments, context: Context): Promise<Required<Refusal>>;
}

export type RuleTable = Readonly<Record<string, Rule>>;

/** The caller needs `permission`, on the object that the field is about where it is about one. */
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

/** A rule that depends on what is asked; only for callers, whom it may look things up for. */
export function ruleBy(choose: (args: never, context: Context) => Rule | Promise<Rule>): Rule {
  return {
    decide: decideForCallers(async (args, context) => {
      return await (await choose(args as never, context)).decide(args, context);
    }),
    asks: async (args, context) => await (await choose(args as never, context)).asks(args, context),
  };
}

/** Refuses strangers. A failure to decide is no refusal: a dead database must read UNAVAILABLE. */
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

/** Open to everyone, signed in or not. Each use is listed in test/architecture. */
export const anyone: Rule = {
  decide: async () => true,
  asks: async () => ({ action: 'anyone', target: null }),
};

/** Open to every caller: the field itself asks the rules of the objects that it finds. */
export const anyCaller = (action: string): Rule => ({
  decide: decideForCallers(async () => true),
  asks: async () => ({ action, target: null }),
});

/** One table of rules a root type. */
export interface RootRules {
  readonly Query?: RuleTable;
  readonly Mutation?: RuleTable;
  readonly Subscription?: RuleTable;
}
