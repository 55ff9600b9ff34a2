import { noteReadable } from '../../authorization/can.ts';
import { flyteWorkflow } from '../../flyte/flyte-json.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import { createWorkflow, type NewWorkflow } from '../commands/create-workflow.ts';
import { visibleClosure } from '../commands/visible-closure.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import { flytePath, leftoversIn, readFlyteSpec, requireOneForm } from '../domain/flyte-specs.ts';
import { workflowTarget } from '../domain/targets.ts';
import type { CompiledWorkflowClosure } from '../domain/workflow-templates.ts';
import { workflowFilters } from '../store/filter-columns.ts';
import { countWorkflows, listWorkflows, versionOrder } from '../store/version-lists.ts';
import type { VersionBy, WorkflowRow } from '../store.ts';
import {
  DescriptionEntityType,
  DescriptionInput,
  descriptionFrom,
  descriptionOf,
} from './description-entity.ts';
import {
  EntityKeyInput,
  innerListArguments,
  keyFieldsOf,
  versionsIn,
  WorkflowByInput,
} from './entity-key.ts';
import { dryRunField, registrationPayload } from './registration.ts';
import { TypedInterfaceType } from './typed-interface.ts';
import { orderArgument, termsOf, versionConditions } from './version-lists.ts';
import { SubWorkflowType, WorkflowGraphType } from './workflow-graph.ts';
import { SubWorkflowInput, templateOf, WorkflowTemplateInput } from './workflow-template.ts';

/** A large column, which is read only if it is selected. */
function part<Key extends string, Row extends Readonly<Record<Key, unknown>>>(
  key: Key,
  id: string,
  row: Row | null,
): Row[Key] {
  if (!row) throw new NotFoundError('workflow', id);
  return row[key];
}

async function closureOf({ id }: WorkflowRow, loaders: Loaders): Promise<CompiledWorkflowClosure> {
  return part('closure', id, await loaders.workflowClosure.load(id)) as CompiledWorkflowClosure;
}

/** The closure as the caller may see it. */
export async function shownClosure(workflow: WorkflowRow, context: Context): Promise<object> {
  const { loaders } = context;
  return await visibleClosure(callerOf(context), await closureOf(workflow, loaders), {
    task: (key) => loaders.task.load({ key }),
    launchPlan: (key) => loaders.launchPlan.load({ key }),
  });
}

export const WorkflowType = builder.objectRef<WorkflowRow>('Workflow').implement({
  description:
    'One registered version of a workflow: nodes that run tasks, and how values go from node to node. It never changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project in which it is registered; null if the project is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (workflow, { loaders }) => loaders.project.load({ id: workflow.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      description: 'The identifier of the project. It is shown even if the project is hidden from you.',
      resolve: ({ projectId }, _args, { loaders }) => getIdentifier(projectId, loaders),
    }),
    domain: t.exposeString('domain', {
      description: 'The domain in which it is registered, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name that all versions of the workflow share.' }),
    version: t.exposeString('version', {
      description: 'The version, unique among the versions with this name.',
    }),
    interface: t.field({
      type: TypedInterfaceType,
      description: 'The inputs and outputs of the workflow.',
      resolve: async ({ id }, _args, { loaders }) =>
        part('interface', id, await loaders.workflowInterface.load(id)),
    }),
    closure: t.field({
      type: 'JSON',
      description:
        'The compiled workflow with all its nodes, bindings, connections, tasks and launch plans. Of a task that is hidden from you, only the `id` is not null, and the same goes for launch plans.',
      resolve: async (workflow, _args, context) => (await shownClosure(workflow, context)) as Json,
    }),
    graph: t.field({
      type: WorkflowGraphType,
      description: 'The nodes of the workflow and how they are connected.',
      resolve: async (workflow, _args, { loaders }) => (await closureOf(workflow, loaders)).primary,
    }),
    subWorkflows: t.field({
      type: [SubWorkflowType],
      extensions: { listSize: 2 },
      description: 'The workflows that nodes run inside of the same execution, sorted by their keys.',
      resolve: async (workflow, _args, { loaders }) => [
        ...((await closureOf(workflow, loaders)).subWorkflows ?? []),
      ],
    }),
    flyte: t.field({
      type: 'JSON',
      description:
        "The workflow as Flyte's WorkflowSpec in protobuf JSON, with all that was registered: also what has no effect here. Plain values and names are in their compiled form.",
      resolve: async (workflow, _args, { loaders }) => {
        const [project, closure] = await Promise.all([
          getIdentifier(workflow.projectId, loaders),
          closureOf(workflow, loaders),
        ]);
        const { primary, subWorkflows } = closure;
        return flyteWorkflow.toFlyte(
          {
            template: { ...primary.template, id: { ...keyFieldsOf(workflow), project } },
            subWorkflows: subWorkflows ?? [],
            shortDescription: workflow.shortDescription,
          },
          leftoversIn(closure),
        ) as Json;
      },
    }),
    digest: t.exposeString('digest', {
      description:
        'The SHA-256 of the closure in its canonical form: two workflows are equal if their digests are equal.',
    }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'What the workflow does, in at most 300 characters. It may be empty.',
    }),
    description: t.field({
      type: DescriptionEntityType,
      nullable: true,
      description:
        'What the version says about itself. Null if it says nothing, or if your scopes do not include `descriptionEntity:read`.',
      resolve: descriptionOf,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

export const WorkflowConnection = connectionType(WorkflowType);

builder.objectField(ProjectType, 'workflows', (t) =>
  t.connection(
    {
      type: WorkflowType,
      nullable: true,
      description:
        'Versions of workflows in the project that you may read, newest first; null if your scopes do not include `workflow:read`.',
      args: innerListArguments,
      resolve: versionsIn('workflow:read', projectTarget, ({ loaders }) => loaders.workflowsOfProject),
    },
    WorkflowConnection,
  ),
);

const WorkflowFilterInput = builder.inputType('WorkflowFilterInput', {
  description: 'Which versions of workflows a list shows: the versions that meet all of these conditions.',
  fields: versionConditions,
});

builder.queryFields((t) => ({
  workflow: t.field({
    type: WorkflowType,
    nullable: true,
    description: 'One version of a workflow. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(WorkflowByInput, 'version of a workflow'),
    resolve: (_root, { by }, { loaders }) => loaders.workflow.load(by as VersionBy),
  }),
  workflows: t.connection(
    {
      type: WorkflowType,
      description: 'Versions of workflows that you may read.',
      args: {
        filter: t.arg({ type: WorkflowFilterInput, required: true, description: 'Which versions to list.' }),
        ...orderArgument,
        ...filtersArgument(workflowFilters),
      },
      resolve: (_root, { filter, filters, orderBy, ...args }, context) => {
        const caller = callerOf(context);
        const shown = { ...filter, filters: termsOf({ filters }), orderBy };
        return pagedList(
          args,
          versionOrder(shown),
          async (page) => noteReadable(caller, await listWorkflows(caller, shown, page), workflowTarget),
          () => countWorkflows(caller, shown),
        );
      },
    },
    WorkflowConnection,
  ),
}));

const CreateWorkflowInput = builder.inputType('CreateWorkflowInput', {
  description: 'A version of a workflow to register.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'The key of the new version.' }),
    template: t.field({
      type: WorkflowTemplateInput,
      description: 'What the workflow does. Required without `flyte`.',
    }),
    flyte: t.field({
      type: 'JSON',
      description:
        "In place of `template` and `subWorkflows`: Flyte's WorkflowSpec in protobuf JSON. The key in its template does not count. What has no effect here is stored too.",
    }),
    subWorkflows: t.field({
      type: [SubWorkflowInput],
      defaultValue: [],
      description:
        'The workflows that nodes run inside of the same execution, at most 100. They are part of this version.',
    }),
    shortDescription: t.string({
      defaultValue: '',
      description: 'What the workflow does, in at most 300 characters. If empty: as `flyte` says.',
    }),
    description: t.field({
      type: DescriptionInput,
      description: 'What the version says about itself. `DescriptionEntity` shows it.',
    }),
    ...dryRunField(t),
  }),
});

function newWorkflowOf(input: typeof CreateWorkflowInput.$inferInput): Omit<NewWorkflow, 'isDryRun'> {
  const { key, template, subWorkflows, flyte, shortDescription, description } = input;
  requireOneForm(flyte, { template, subWorkflows }, 'template');
  if (!template) {
    const { ours, leftovers } = readFlyteSpec(flyteWorkflow, flyte);
    return {
      key,
      ...ours,
      paths: { template: [...flytePath, 'template'], subWorkflows: [...flytePath, 'subWorkflows'] },
      leftovers,
      shortDescription: shortDescription || ours.shortDescription,
      description: descriptionFrom(description),
    };
  }
  return {
    key,
    template: templateOf(template, ['input', 'template']),
    subWorkflows: (subWorkflows ?? []).map((one, index) => ({
      id: one.key,
      template: templateOf(one.template, ['input', 'subWorkflows', String(index), 'template']),
    })),
    shortDescription: shortDescription ?? '',
    description: descriptionFrom(description),
  };
}

const CreateWorkflowPayload = registrationPayload(
  'CreateWorkflowPayload',
  'workflow',
  'workflow',
  WorkflowType,
);

builder.mutationField('createWorkflow', (t) =>
  t.field({
    type: CreateWorkflowPayload,
    nullable: true,
    description:
      'Compiles and registers a version of a workflow. Requires EDIT on the project, and on the workflow if it exists. If the workflow has errors, the answer lists all of them, each with its code and its node.',
    errors: { types: [InvalidArgumentError, DifferentStructureError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateWorkflowInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.key.project, context.loaders);
      const isDryRun = input.dryRun === true;
      return await createWorkflow(callerOf(context), project, { ...newWorkflowOf(input), isDryRun });
    },
  }),
);
