import type { ProjectState } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { registerProject } from '../commands/register-project.ts';
import { rememberProjects } from '../loaders.ts';
import { countProjects, listProjects, type ProjectBy, projectOrder } from '../store.ts';

const ProjectStateEnum = enumOf<ProjectState>(
  'ProjectState',
  'Whether a project takes new versions and executions. What it holds stays readable either way.',
  {
    ACTIVE: 'It takes new versions and executions.',
    ARCHIVED: 'It takes nothing new, and lists leave it out unless they are asked for archived ones.',
    SYSTEM_GENERATED: 'The platform made it for itself. Nobody adds anything to it.',
    SYSTEM_ARCHIVED: 'The platform archived it. It takes nothing new, and lists still show it.',
  },
);

const DomainType = builder.objectRef<string>('ProjectDomain').implement({
  description: 'A stage that every project has, such as `development` or `production`.',
  fields: (t) => ({
    id: t.id({
      description: 'The same as the name: domains come from the configuration.',
      resolve: (domain) => domain,
    }),
    name: t.string({ description: 'The name, as keys and filters take it.', resolve: (domain) => domain }),
  }),
});

export const ProjectType = builder.prismaObject('Project', {
  description: 'What holds tasks, workflows, launch plans and executions. Never deleted, only archived.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    identifier: t.exposeString('identifier', {
      description: 'The short name that keys and filters take, unique in the tenant. It never changes.',
    }),
    name: t.exposeString('name', { description: 'The name that people read; need not be unique.' }),
    description: t.exposeString('description', {
      description: 'What the project is for; empty when nobody said.',
    }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Labels by the rules of Kubernetes, at most 16.',
      resolve: (project) => entriesOf(project.labels),
    }),
    state: t.expose('state', {
      type: ProjectStateEnum,
      description: 'Whether it takes new versions and executions.',
    }),
    domains: t.field({
      type: [DomainType],
      extensions: { listSize: 5 },
      description: 'The domains that the project has: the same ones for every project.',
      resolve: () => [...serverConfig.domains],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the project was registered.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the project itself last changed.',
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
    description: 'One project; null with NOT_FOUND when it is absent or hidden.',
    args: addressOf(ProjectByInput, 'project'),
    resolve: (_root, { by }, { loaders }) => loaders.project.load(by as ProjectBy),
  }),
  projects: t.connection(
    {
      type: ProjectType,
      description: 'The projects that you may read, by identifier, ascending.',
      args: {
        withArchived: t.arg.boolean({
          defaultValue: false,
          description:
            'List ARCHIVED projects as well. SYSTEM_ARCHIVED ones are listed either way, as in Flyte.',
        }),
      },
      resolve: (_root, { withArchived, ...args }, context) => {
        const caller = callerOf(context);
        const shown = { withArchived: withArchived ?? false };
        return pagedList(
          args,
          projectOrder,
          async (page) => {
            const rows = await listProjects(caller, shown, page);
            rememberProjects(rows, context.loaders);
            return rows;
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
    resolve: () => [...serverConfig.domains],
  }),
}));

const RegisterProjectInput = builder.inputType('RegisterProjectInput', {
  description: 'A project to register.',
  fields: (t) => ({
    identifier: t.string({
      required: true,
      description:
        'The short name that keys and filters take, unique in the tenant: at most 63 lower-case letters, digits and hyphens (a DNS-1123 label).',
    }),
    name: t.string({ required: true, description: 'The name that people read, at most 64 characters.' }),
    description: t.string({
      defaultValue: '',
      description: 'What the project is for, at most 300 characters.',
    }),
    labels: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'Labels by the rules of Kubernetes, at most 16.',
    }),
  }),
});

const RegisterProjectPayload = payload('RegisterProjectPayload', 'project', ProjectType);

builder.mutationField('registerProject', (t) =>
  t.field({
    type: RegisterProjectPayload,
    nullable: true,
    description: 'Registers a project, which is ACTIVE. Requires the role SUPERUSER or one above it.',
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
);
