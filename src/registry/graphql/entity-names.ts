import { obstacleTo } from '../../authorization/domain/permissions.ts';
import type { EntityType } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { pagedList } from '../../graphql/keyset.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { launchPlanFilters, taskFilters, workflowFilters } from '../store/filter-columns.ts';
import { countNames, listNames, type NameOrder, nameOrder } from '../store/named-entities.ts';
import { termsOf } from './version-lists.ts';

export const EntityNameType = builder.objectRef<Omit<EntityKey, 'version'>>('EntityName').implement({
  description: 'The part of the key that all versions of a task, workflow or launch plan share.',
  fields: (t) => ({
    project: t.exposeString('project', { description: "The project's identifier." }),
    domain: t.exposeString('domain', { description: 'The domain of the project, such as `development`.' }),
    name: t.exposeString('name', { description: 'The name that all versions share.' }),
  }),
});

const EntityNameConnection = connectionType(EntityNameType);

const DomainFilterInput = builder.inputType('DomainFilterInput', {
  description: 'The domain of a project that a list is about.',
  fields: (t) => ({
    project: t.string({ required: true, description: 'The identifier of the project.' }),
    domain: t.string({ required: true, description: 'The domain of the project.' }),
  }),
});

export const domainArgument = builder.args((t) => ({
  filter: t.field({
    type: DomainFilterInput,
    required: true,
    description: 'Only objects in this domain of a project.',
  }),
}));

const NameOrderEnum = enumOf<NameOrder>(
  'NameOrder',
  'How a list of names is sorted. The time is that of the first version. Names are compared byte by byte.',
  {
    NEWEST: 'By time, newest first.',
    OLDEST: 'By time, oldest first.',
    NAME: 'By name, ascending.',
    NAME_DESCENDING: 'By name, descending.',
  },
);

export const nameOrderArgument = builder.args((t) => ({
  orderBy: t.field({ type: NameOrderEnum, defaultValue: 'NEWEST', description: 'How to sort the list.' }),
}));

const nouns = {
  TASK: { plural: 'tasks', filters: taskFilters },
  WORKFLOW: { plural: 'workflows', filters: workflowFilters },
  LAUNCH_PLAN: { plural: 'launch plans', filters: launchPlanFilters },
} as const;

const idsField = (name: string, type: EntityType) => {
  const { plural, filters: columns } = nouns[type];
  builder.queryField(name, (t) =>
    t.connection(
      {
        type: EntityNameType,
        description: `The names of ${plural} with at least one version that you may read, each of them once. With \`filters\`, at least one such version meets them.`,
        args: { ...domainArgument, ...nameOrderArgument, ...filtersArgument(columns) },
        resolve: (_root, { filter, filters, orderBy, ...args }, context) => {
          const caller = callerOf(context);
          const seesWorkflows = obstacleTo(caller, 'workflow:read') === null;
          const versions = { filters: termsOf({ filters }), seesWorkflows };
          const asked = { type, ...filter, versions, orderBy };
          return pagedList(
            args,
            nameOrder(orderBy),
            (page) => listNames(caller, asked, page),
            () => countNames(caller, asked),
          );
        },
      },
      EntityNameConnection,
    ),
  );
};

idsField('taskIds', 'TASK');
idsField('workflowIds', 'WORKFLOW');
idsField('launchPlanIds', 'LAUNCH_PLAN');
