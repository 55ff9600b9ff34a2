import { noteReadable } from '../../authorization/can.ts';
import type { ProjectState } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { parseFilters } from '../../platform/flyte-filters.ts';
import { registerProject } from '../commands/register-project.ts';
import { updateProject } from '../commands/update-project.ts';
import { projectTarget } from '../domain/targets.ts';
import { rememberProjects } from '../loaders.ts';
import {
  countProjects,
  listProjects,
  type ProjectBy,
  type ProjectOrder,
  projectFilters,
  projectOrder,
} from '../store.ts';

const ProjectStateEnum = enumOf<ProjectState>(
  'ProjectState',
  'Whether a project accepts new versions and executions. Everything in it stays readable in all states.',
  {
    ACTIVE: 'The project accepts new versions and executions.',
    ARCHIVED:
      'The project accepts nothing new, and lists leave it out unless they are asked for archived projects.',
    SYSTEM_GENERATED: 'The platform created the project for itself. Users cannot add anything to it.',
    SYSTEM_ARCHIVED: 'The platform archived the project. It accepts nothing new, but lists show it.',
  },
);

const ProjectOrderEnum = enumOf<ProjectOrder>(
  'ProjectOrder',
  'How a list of projects is sorted. Identifiers and names are compared byte by byte.',
  {
    IDENTIFIER: 'By identifier, ascending.',
    IDENTIFIER_DESCENDING: 'By identifier, descending.',
    NAME: 'By name, ascending.',
    NAME_DESCENDING: 'By name, descending.',
    NEWEST: 'By the time of registration, newest first.',
    OLDEST: 'By the time of registration, oldest first.',
  },
);

const DomainType = builder.objectRef<string>('ProjectDomain').implement({
  description: 'A stage of work, such as `development` or `production`. Every project has all domains.',
  fields: (t) => ({
    id: t.id({
      description: 'The same as the name, because domains come from the configuration.',
      resolve: (domain) => domain,
    }),
    name: t.string({ description: 'The name, for keys and filters.', resolve: (domain) => domain }),
  }),
});

export const ProjectType = builder.prismaObject('Project', {
  description:
    'A project, which contains tasks, workflows, launch plans and executions. Projects are archived, never deleted.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    identifier: t.exposeString('identifier', {
      description: 'The short name for keys and filters, unique in the tenant. It never changes.',
    }),
    name: t.exposeString('name', { description: 'The name for people. It need not be unique.' }),
    description: t.exposeString('description', {
      description: 'The purpose of the project, for people. It may be empty.',
    }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Labels that follow the rules of Kubernetes, at most 16.',
      resolve: (project) => entriesOf(project.labels),
    }),
    state: t.expose('state', {
      type: ProjectStateEnum,
      description: 'Whether the project accepts new versions and executions.',
    }),
    domains: t.field({
      type: [DomainType],
      extensions: { listSize: 5 },
      description: 'The domains of the project. Every project has the same domains.',
      resolve: () => [...controlPlaneConfig.domains],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the project was registered.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the project last changed. Changes of objects in it do not count.',
    }),
  }),
});

const ProjectConnection = connectionType(ProjectType);

export const ProjectByInput = builder.inputType('ProjectByInput', {
  description: 'The address of a project.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The project's id." }),
    identifier: t.string({ description: "The project's identifier, such as `flights`." }),
  }),
});

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectType,
    nullable: true,
    description: 'One project. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(ProjectByInput, 'project'),
    resolve: (_root, { by }, { loaders }) => loaders.project.load(by as ProjectBy),
  }),
  projects: t.connection(
    {
      type: ProjectType,
      description: 'The projects that you may read.',
      args: {
        withArchived: t.arg.boolean({
          defaultValue: false,
          description:
            'True: list ARCHIVED projects as well. With `filters`, they are listed anyway. SYSTEM_ARCHIVED projects are always listed, as in Flyte.',
        }),
        orderBy: t.arg({
          type: ProjectOrderEnum,
          defaultValue: 'IDENTIFIER',
          description: 'How to sort the list.',
        }),
        ...filtersArgument(projectFilters),
      },
      resolve: (_root, { withArchived, orderBy, filters, ...args }, context) => {
        const caller = callerOf(context);
        const shown = { withArchived, orderBy: orderBy ?? undefined, filters: parseFilters(filters ?? '') };
        return pagedList(
          args,
          projectOrder(shown),
          async (page) => {
            const rows = await listProjects(caller, shown, page);
            rememberProjects(rows, context.loaders);
            return noteReadable(caller, rows, projectTarget);
          },
          () => countProjects(caller, shown),
        );
      },
    },
    ProjectConnection,
  ),
  domains: t.field({
    type: [DomainType],
    extensions: { listSize: 5 },
    description: "The domains that every project has, in the order of the server's configuration.",
    resolve: () => [...controlPlaneConfig.domains],
  }),
}));

const RegisterProjectInput = builder.inputType('RegisterProjectInput', {
  description: 'A project to register.',
  fields: (t) => ({
    identifier: t.string({
      required: true,
      description:
        'The short name for keys and filters, unique in the tenant: at most 63 lower-case letters, digits and hyphens (a DNS-1123 label).',
    }),
    name: t.string({ required: true, description: 'The name for people, at most 64 characters.' }),
    description: t.string({
      defaultValue: '',
      description: 'The purpose of the project, at most 300 characters.',
    }),
    labels: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'Labels that follow the rules of Kubernetes, at most 16.',
    }),
  }),
});

const RegisterProjectPayload = payload('RegisterProjectPayload', 'project', ProjectType);
const UpdateProjectPayload = payload('UpdateProjectPayload', 'project', ProjectType);

const UpdateProjectInput = builder.inputType('UpdateProjectInput', {
  description: 'Changes of a project. Fields that are left out stay as they are.',
  fields: (t) => ({
    by: t.field({ type: ProjectByInput, required: true, description: 'Which project to change.' }),
    name: t.string({ description: 'The new name for people, at most 64 characters.' }),
    description: t.string({ description: 'The new purpose, at most 300 characters. Empty clears it.' }),
    labels: t.field({
      type: [KeyValueInput],
      description: 'All labels of the project from now on, at most 16. An empty list clears them.',
    }),
    state: t.field({
      type: ProjectStateEnum,
      description: 'ACTIVE or ARCHIVED. The platform alone sets the other states.',
    }),
  }),
});

builder.mutationFields((t) => ({
  registerProject: t.field({
    type: RegisterProjectPayload,
    nullable: true,
    description:
      'Registers a project and grants you MANAGE on it. Requires the role SUPERUSER or a higher one. The project is ACTIVE.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(RegisterProjectInput),
    resolve: async (_root, { input }, context) => ({
      project: await registerProject(callerOf(context), {
        identifier: input.identifier,
        name: input.name,
        description: input.description ?? '',
        labels: mapOf(input.labels ?? [], ['input', 'labels']),
      }),
    }),
  }),
  updateProject: t.field({
    type: UpdateProjectPayload,
    nullable: true,
    description:
      'Changes a project, archives it, or takes it out of the archive. Requires MANAGE on the project. An archived project accepts nothing new; what runs in it goes on.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(UpdateProjectInput),
    resolve: async (_root, { input }, context) => {
      const { by, labels, ...others } = input;
      const found = await context.loaders.project.load(by as ProjectBy);
      if (!found) throw new NotFoundError('project', addressText(by), ['input', 'by']);
      const project = await updateProject(callerOf(context), found, {
        name: others.name ?? undefined,
        description: others.description ?? undefined,
        labels: labels ? mapOf(labels, ['input', 'labels']) : undefined,
        state: others.state ?? undefined,
      });
      context.loaders.project.clearAll();
      return { project };
    },
  }),
}));
