import type { Permission } from '../authorization/domain/permissions.ts';
import { type GroupBy, groupKeyOf, readGroups } from '../authorization/store/groups.ts';
import { callerOf } from '../graphql/context.ts';
import { shownError, topLevelError } from '../graphql/errors.ts';
import { can, type FieldArguments, type RootRules, type Rule } from '../graphql/rules.ts';
import { NotFoundError } from '../platform/errors.ts';
import { groupReader } from './group-reader.ts';

/** The permission first; then the group must be there, for the caller's eyes: absent and hidden are one. */
function onGroup(permission: Permission, byOf: (args: FieldArguments) => GroupBy): Rule {
  const role = can(permission);
  return {
    async decide(args, context) {
      const verdict = await role.decide(args, context);
      if (verdict !== true) return verdict;
      try {
        const by = byOf(args);
        const [group] = await readGroups(groupReader(callerOf(context)), [by]);
        return group ? true : topLevelError(new NotFoundError('group', groupKeyOf(by)));
      } catch (error) {
        context.log.error({ err: error, permission }, 'rule failed');
        return shownError(error);
      }
    },
  };
}

const argument = (args: FieldArguments) => args['by'] as GroupBy;
const input = (args: FieldArguments) => (args['input'] as { by: GroupBy }).by;

export const groupRules: RootRules = {
  Query: {
    group: onGroup('group:list', argument),
    groups: can('group:list'),
  },
  Mutation: {
    createGroup: can('group:create'),
    editGroup: onGroup('group:administer', input),
    addGroupMembers: onGroup('group:administer', input),
    removeGroupMembers: onGroup('group:administer', input),
    deleteGroup: onGroup('group:administer', input),
  },
};
