import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { connectionOf, pageOf } from '../../graphql/keyset.ts';
import { LabelInput, LabelType, labelEntries, labelsOf } from '../../graphql/labels.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { registerProject } from '../commands/register-project.ts';
import { listProjects, type ProjectBy } from '../store.ts';

const ProjectState = builder.enumType('ProjectState', {
  description: 'Only an ACTIVE project takes new versions and executions; what it holds stays readable.',
  values: ['ACTIVE', 'ARCHIVED', 'SYSTEM_GENERATED', 'SYSTEM_ARCHIVED'] as const,
});

const Domain = builder.objectRef<string>('Domain').implement({
  description: 'A stage that every project has, such as `development` or `production`.',
  fields: (t) => ({
    id: t.id({ resolve: (domain) => domain }),
    name: t.string({ resolve: (domain) => domain }),
  }),
});

export const ProjectType = builder.prismaObject('Project', {
  description: 'What holds tasks, workflows, launch plans and executions. Never deleted, only archived.',
  fields: (t) => ({
    id: t.exposeID('id'),
    identifier: t.exposeString('identifier', {
      description: 'The name that people type; unique in the tenant.',
    }),
    name: t.exposeString('name'),
    description: t.exposeString('description'),
    labels: t.field({
      type: [LabelType],
      extensions: { listSize: 5 },
      select: { labels: true },
      resolve: (project) => labelEntries(project.labels),
    }),
    state: t.field({
      type: ProjectState,
      select: { state: true },
      resolve: (project) => project.state,
    }),
    domains: t.field({
      type: [Domain],
      extensions: { listSize: 5 },
      resolve: () => [...serverConfig.domains],
    }),
    createdAt: t.field({
      type: 'DateTime',
      select: { createdAt: true },
      resolve: (project) => project.createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      select: { updatedAt: true },
      resolve: (project) => project.updatedAt,
    }),
  }),
});

export const ProjectByInput = builder.inputType('ProjectBy', {
  description: 'Which project.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), identifier: t.string() }),
});

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectType,
    nullable: true,
    description: 'One project; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: ProjectByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.project.load(by as ProjectBy),
  }),
  projects: t.connection(
    {
      type: ProjectType,
      description: 'Projects by identifier, ascending.',
      args: {
        withArchived: t.arg.boolean({
          defaultValue: false,
          description:
            'Also those that are ARCHIVED. SYSTEM_ARCHIVED ones are listed either way, as in Flyte.',
        }),
      },
      resolve: async (_root, args, context) => {
        const page = pageOf(args, ['text']);
        const rows = await listProjects(
          callerOf(context),
          { withArchived: args.withArchived ?? false },
          page,
        );
        return connectionOf(rows, page, (row) => [row.identifier]);
      },
    },
    { name: 'ProjectConnection' },
    { name: 'ProjectEdge' },
  ),
  domains: t.field({
    type: [Domain],
    extensions: { listSize: 5 },
    description: 'The domains that every project has.',
    resolve: () => [...serverConfig.domains],
  }),
}));

const RegisterProjectInput = builder.inputType('RegisterProjectInput', {
  fields: (t) => ({
    identifier: t.string({
      required: true,
      description: 'A DNS-1123 label: at most 63 lower-case letters, digits and hyphens.',
    }),
    name: t.string({
      required: true,
      description: 'For people; at most 64 characters.',
    }),
    description: t.string({ description: 'At most 300 characters.' }),
    labels: t.field({
      type: [LabelInput],
      description: 'At most 16, by the rules of Kubernetes.',
    }),
  }),
});

const RegisterProjectPayload = builder
  .objectRef<{ project: typeof ProjectType.$inferType }>('RegisterProjectPayload')
  .implement({
    fields: (t) => ({
      project: t.field({
        type: ProjectType,
        resolve: ({ project }) => project,
      }),
    }),
  });

builder.mutationField('registerProject', (t) =>
  t.field({
    type: RegisterProjectPayload,
    nullable: true,
    description: 'Makes a project, ACTIVE. Needs a superuser.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: { input: t.arg({ type: RegisterProjectInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      project: await registerProject(callerOf(context), {
        identifier: input.identifier,
        name: input.name,
        description: input.description ?? '',
        labels: labelsOf(input.labels ?? [], ['input', 'labels']),
      }),
    }),
  }),
);
