import { type GroupBy, groupKeyOf } from '../authorization/store/groups.ts';
import { can, type FieldArguments, type Lookup, type ObjectName, type RootRules } from '../graphql/rules.ts';

const groupAt = (byOf: (args: FieldArguments) => GroupBy): Lookup => ({
  kind: 'group',
  key: (args) => groupKeyOf(byOf(args)),
  async lookUp(args, { loaders }) {
    const group = await loaders.groupAt.load(byOf(args));
    return group ? { id: group.id, isHidden: !group.isVisible } : null;
  },
});

const inInput = groupAt((args) => (args['input'] as { by: GroupBy }).by);
const newGroup: ObjectName = {
  kind: 'group',
  key: (args) => (args['input'] as { name: string }).name,
};

export const groupRules: RootRules = {
  Query: {
    group: can(
      'group:list',
      groupAt((args) => args['by'] as GroupBy),
    ),
    groups: can('group:list'),
  },
  Mutation: {
    createGroup: can('group:create', newGroup),
    updateGroup: can('group:administer', inInput),
    addGroupMembers: can('group:administer', inInput),
    removeGroupMembers: can('group:administer', inInput),
    deleteGroup: can('group:administer', inInput),
  },
};
