import { refusal } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import type { Target } from '../authorization/domain/resources.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import type { Context } from './context.ts';
import { shownError, topLevelError } from './errors.ts';

/** How a rule finds the object that a field is about. */
export interface Finder {
  readonly kind: ObjectKind;
  key(args: FieldArguments): string;
  target(args: FieldArguments, context: Context): Promise<Target | null>;
  /** Whether the caller may read something inside of it: then lists of that are not hidden. */
  within?(target: Target | null, args: FieldArguments, context: Context): Promise<boolean>;
  /** The rule only asks whether the caller may read the object: the command asks for the permission's own level. */
  readonly levelIsAskedLater?: boolean;
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
          levelIsAskedLater: finder.levelIsAskedLater ?? false,
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
