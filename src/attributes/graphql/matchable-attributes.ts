import type { Project } from '../../generated/prisma/client.ts';
import type { MatchableResource } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import { deleteAttributes } from '../commands/delete-attributes.ts';
import { updateAttributes } from '../commands/update-attributes.ts';
import { withServiceDefaults } from '../domain/execution-config.ts';
import type { MatchingAttributes } from '../domain/payloads.ts';
import { mostSpecific } from '../domain/resolve.ts';
import { projectScope, type Scope } from '../domain/scopes.ts';
import { attributesOrder, countAttributes, findExact, listAttributes, readMatching } from '../store.ts';
import { attributesOf, MatchingAttributesInput } from './payload-inputs.ts';
import { MatchableResourceEnum, MatchingAttributesType } from './payload-types.ts';

/** A record, or what the server gives a project that has none: then there are no times. */
type ShownAttributes = Scope &
  MatchingAttributes & { readonly createdAt: Date | null; readonly updatedAt: Date | null };

const MatchableAttributesType = builder.objectRef<ShownAttributes>('MatchableAttributes').implement({
  description:
    'What applies to everything in a scope: a project, a domain of a project, a workflow or a launch plan. If several records of a kind match, the one with the narrowest scope counts, as a whole.',
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project. Null if you may not see it.',
      resolve: guardedEdge(
        'project:read',
        ({ projectId }, { loaders }) => loaders.project.load({ id: projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      description: "The project's identifier.",
      resolve: ({ projectId }, _args, { loaders }) => getIdentifier(projectId, loaders),
    }),
    domain: t.exposeString('domain', {
      nullable: true,
      description: 'The domain. Null if the record applies to all domains of the project.',
    }),
    workflowName: t.exposeString('workflow', {
      nullable: true,
      description: 'The name of the workflow. Null if the record applies to all workflows.',
    }),
    launchPlanName: t.exposeString('launchPlan', {
      nullable: true,
      description: 'The name of the launch plan. Null if the record applies to all launch plans.',
    }),
    resourceType: t.expose('resourceType', {
      type: MatchableResourceEnum,
      description: 'What the attributes configure.',
    }),
    attributes: t.field({
      type: MatchingAttributesType,
      description: 'The attributes, in the field for their kind.',
      resolve: (record) => record,
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the record was created. Null if there is no record and the server fills all fields.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the record last changed. Null if there is no record and the server fills all fields.',
    }),
  }),
});

const MatchableAttributesConnection = connectionType(MatchableAttributesType);

const projectText = "The project's identifier.";
const domainText = 'The domain of the project, such as `development`.';
const workflowText = 'The name that all versions of the workflow share. The workflow need not exist yet.';
const resourceTypeText = 'What the attributes configure.';
const attributesText = 'What applies to the scope.';

const ProjectAttributesKeyInput = builder.inputType('ProjectAttributesKeyInput', {
  description: 'Which attributes of a project.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    resourceType: t.field({ type: MatchableResourceEnum, required: true, description: resourceTypeText }),
  }),
});

const ProjectDomainAttributesKeyInput = builder.inputType('ProjectDomainAttributesKeyInput', {
  description: 'Which attributes of a domain of a project.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    domain: t.string({ required: true, description: domainText }),
    resourceType: t.field({ type: MatchableResourceEnum, required: true, description: resourceTypeText }),
  }),
});

const WorkflowAttributesKeyInput = builder.inputType('WorkflowAttributesKeyInput', {
  description: 'Which attributes of a workflow.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    domain: t.string({ required: true, description: domainText }),
    workflow: t.string({ required: true, description: workflowText }),
    resourceType: t.field({ type: MatchableResourceEnum, required: true, description: resourceTypeText }),
  }),
});

interface Address {
  readonly project: string;
  readonly domain?: string;
  readonly workflow?: string;
}

const scopeOf = (
  { id: projectId }: Project,
  { domain = null, workflow = null }: { domain?: string | null; workflow?: string | null },
): Scope => ({
  ...projectScope(projectId),
  domain,
  workflow,
});

const notFound = ({ project, domain, workflow }: Address, resourceType: MatchableResource) => {
  const scope = [project, domain, workflow].filter((part) => part !== undefined).join('/');
  return new NotFoundError('matchable attributes', `${resourceType} of ${scope}`);
};

/** The most specific record that matches. @throws NotFoundError. */
async function resolveAttributes(
  { resourceType, ...address }: Address & { readonly resourceType: MatchableResource },
  context: Context,
): Promise<ShownAttributes> {
  const project = await getProject(address.project, context.loaders);
  const scope = scopeOf(project, address);
  const records = await readMatching(project.tenantId, scope, [resourceType]);
  const found = mostSpecific(records, resourceType, scope);
  if (!found) throw notFound(address, resourceType);
  return found;
}

/** The record of the project itself. The server fills the configuration of executions. @throws NotFoundError. */
async function projectAttributes(
  { resourceType, ...address }: Address & { readonly resourceType: MatchableResource },
  context: Context,
): Promise<ShownAttributes> {
  const project = await getProject(address.project, context.loaders);
  const scope = projectScope(project.id);
  const record = await findExact(project.tenantId, scope, resourceType);
  if (resourceType === 'WORKFLOW_EXECUTION_CONFIG') {
    const stored = record?.resourceType === resourceType ? record.payload : {};
    const { createdAt = null, updatedAt = null } = record ?? {};
    return { ...scope, resourceType, payload: withServiceDefaults(stored), createdAt, updatedAt };
  }
  if (!record) throw notFound(address, resourceType);
  return record;
}

const lookedUp =
  'The one with the narrowest scope counts; `domain` and `workflowName` of the answer say which. Null and NOT_FOUND if there is none, or if you may not see the project.';

builder.queryFields((t) => ({
  projectAttributes: t.field({
    type: MatchableAttributesType,
    nullable: true,
    description:
      'The attributes of a whole project, without those of its domains and workflows. The server fills the fields of WORKFLOW_EXECUTION_CONFIG that are not set, also if there is no record. For other kinds, null and NOT_FOUND if there is no record, or if you may not see the project.',
    args: {
      key: t.arg({
        type: ProjectAttributesKeyInput,
        required: true,
        description: 'Which attributes of which project.',
      }),
    },
    resolve: (_root, { key }, context) => projectAttributes(key, context),
  }),
  projectDomainAttributes: t.field({
    type: MatchableAttributesType,
    nullable: true,
    description: `The attributes that apply to a domain: of the domain or of the whole project. ${lookedUp}`,
    args: {
      key: t.arg({
        type: ProjectDomainAttributesKeyInput,
        required: true,
        description: 'Which attributes of which domain.',
      }),
    },
    resolve: (_root, { key }, context) => resolveAttributes(key, context),
  }),
  workflowAttributes: t.field({
    type: MatchableAttributesType,
    nullable: true,
    description: `The attributes that apply to a workflow: of the workflow, of its domain or of the whole project. ${lookedUp}`,
    args: {
      key: t.arg({
        type: WorkflowAttributesKeyInput,
        required: true,
        description: 'Which attributes of which workflow.',
      }),
    },
    resolve: (_root, { key }, context) => resolveAttributes(key, context),
  }),
  matchableAttributes: t.connection(
    {
      type: MatchableAttributesType,
      description:
        'All attributes of one kind, of all scopes in the projects that you may read. The narrowest scopes come first, and of equal scopes the newest record.',
      args: {
        resourceType: t.arg({
          type: MatchableResourceEnum,
          required: true,
          description: 'Only attributes of this kind.',
        }),
      },
      resolve: (_root, { resourceType, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          attributesOrder,
          (page) => listAttributes(caller, resourceType, page),
          () => countAttributes(caller, resourceType),
        );
      },
    },
    MatchableAttributesConnection,
  ),
}));

const UpdateProjectAttributesInput = builder.inputType('UpdateProjectAttributesInput', {
  description: 'Attributes of a whole project.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    attributes: t.field({ type: MatchingAttributesInput, required: true, description: attributesText }),
  }),
});

const UpdateProjectDomainAttributesInput = builder.inputType('UpdateProjectDomainAttributesInput', {
  description: 'Attributes of a domain of a project.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    domain: t.string({ required: true, description: domainText }),
    attributes: t.field({ type: MatchingAttributesInput, required: true, description: attributesText }),
  }),
});

const UpdateWorkflowAttributesInput = builder.inputType('UpdateWorkflowAttributesInput', {
  description: 'Attributes of a workflow.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    domain: t.string({ required: true, description: domainText }),
    workflow: t.string({ required: true, description: `${workflowText} At most 255 characters.` }),
    attributes: t.field({ type: MatchingAttributesInput, required: true, description: attributesText }),
  }),
});

const DeleteProjectAttributesInput = builder.inputType('DeleteProjectAttributesInput', {
  description: 'Which attributes of a project to delete.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    resourceType: t.field({ type: MatchableResourceEnum, required: true, description: resourceTypeText }),
  }),
});

const DeleteProjectDomainAttributesInput = builder.inputType('DeleteProjectDomainAttributesInput', {
  description: 'Which attributes of a domain of a project to delete.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    domain: t.string({ required: true, description: domainText }),
    resourceType: t.field({ type: MatchableResourceEnum, required: true, description: resourceTypeText }),
  }),
});

const DeleteWorkflowAttributesInput = builder.inputType('DeleteWorkflowAttributesInput', {
  description: 'Which attributes of a workflow to delete.',
  fields: (t) => ({
    project: t.string({ required: true, description: projectText }),
    domain: t.string({ required: true, description: domainText }),
    workflow: t.string({ required: true, description: workflowText }),
    resourceType: t.field({ type: MatchableResourceEnum, required: true, description: resourceTypeText }),
  }),
});

const updatePayload = (name: `Update${string}Payload`) =>
  payload(name, 'matchableAttributes', MatchableAttributesType, 'The record after the mutation.');
const UpdateProjectAttributesPayload = updatePayload('UpdateProjectAttributesPayload');
const UpdateProjectDomainAttributesPayload = updatePayload('UpdateProjectDomainAttributesPayload');
const UpdateWorkflowAttributesPayload = updatePayload('UpdateWorkflowAttributesPayload');

interface Deleted {
  readonly matchableAttributes: ShownAttributes | null;
}

const deletePayload = (field: string) =>
  builder.objectRef<Deleted>(`${field.charAt(0).toUpperCase()}${field.slice(1)}Payload`).implement({
    description: `What \`${field}\` answers when it succeeds.`,
    fields: (t) => ({
      matchableAttributes: t.expose('matchableAttributes', {
        type: MatchableAttributesType,
        nullable: true,
        description: 'The record that was deleted. Null if there was none.',
      }),
    }),
  });
const DeleteProjectAttributesPayload = deletePayload('deleteProjectAttributes');
const DeleteProjectDomainAttributesPayload = deletePayload('deleteProjectDomainAttributes');
const DeleteWorkflowAttributesPayload = deletePayload('deleteWorkflowAttributes');

async function update(
  { attributes, ...address }: Address & { readonly attributes: typeof MatchingAttributesInput.$inferInput },
  context: Context,
) {
  const project = await getProject(address.project, context.loaders);
  const given = attributesOf(attributes);
  const record = await updateAttributes(callerOf(context), project, scopeOf(project, address), given);
  return { matchableAttributes: record };
}

async function remove(
  { resourceType, ...address }: Address & { readonly resourceType: MatchableResource },
  context: Context,
): Promise<Deleted> {
  const project = await getProject(address.project, context.loaders);
  const scope = scopeOf(project, address);
  return { matchableAttributes: await deleteAttributes(callerOf(context), project, scope, resourceType) };
}

const replaces =
  'They replace the attributes of this scope and kind; only plugin overrides keep those of other types of tasks. Requires MANAGE on the project, which must be ACTIVE.';
const deletes =
  'Attributes of narrower scopes stay. Succeeds if there are none. Requires MANAGE on the project, which must be ACTIVE.';

builder.mutationFields((t) => ({
  updateProjectAttributes: t.field({
    type: UpdateProjectAttributesPayload,
    nullable: true,
    description: `Sets attributes of a whole project. ${replaces}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpdateProjectAttributesInput),
    resolve: (_root, { input }, context) => update(input, context),
  }),
  updateProjectDomainAttributes: t.field({
    type: UpdateProjectDomainAttributesPayload,
    nullable: true,
    description: `Sets attributes of a domain of a project. ${replaces}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpdateProjectDomainAttributesInput),
    resolve: (_root, { input }, context) => update(input, context),
  }),
  updateWorkflowAttributes: t.field({
    type: UpdateWorkflowAttributesPayload,
    nullable: true,
    description: `Sets attributes of a workflow, which need not exist yet. ${replaces}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpdateWorkflowAttributesInput),
    resolve: (_root, { input }, context) => update(input, context),
  }),
  deleteProjectAttributes: t.field({
    type: DeleteProjectAttributesPayload,
    nullable: true,
    description: `Deletes attributes of a whole project. ${deletes}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteProjectAttributesInput),
    resolve: (_root, { input }, context) => remove(input, context),
  }),
  deleteProjectDomainAttributes: t.field({
    type: DeleteProjectDomainAttributesPayload,
    nullable: true,
    description: `Deletes attributes of a domain of a project. ${deletes}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteProjectDomainAttributesInput),
    resolve: (_root, { input }, context) => remove(input, context),
  }),
  deleteWorkflowAttributes: t.field({
    type: DeleteWorkflowAttributesPayload,
    nullable: true,
    description: `Deletes attributes of a workflow. ${deletes}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteWorkflowAttributesInput),
    resolve: (_root, { input }, context) => remove(input, context),
  }),
}));
