import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import { createWorkflow } from '../commands/create-workflow.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import { countWorkflows, listWorkflows, type VersionBy, versionOrder } from '../store.ts';
import {
  EntityKeyInput,
  innerListArguments,
  VersionFilterInput,
  versionsIn,
  WorkflowByInput,
} from './entity-key.ts';
import { TypedInterfaceType } from './typed-interface.ts';
import { SubWorkflowInput, templateOf, WorkflowTemplateInput } from './workflow-template.ts';

export const WorkflowType = builder.prismaObject('Workflow', {
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
      resolve: (workflow) => workflow.interface as unknown as TypedInterface,
    }),
    closure: t.field({
      type: 'JSON',
      description: 'The compiled workflow with all its nodes, bindings, connections and tasks.',
      resolve: (workflow) => workflow.closure,
    }),
    digest: t.exposeString('digest', {
      description:
        'The SHA-256 of the closure in its canonical form: two workflows are equal if their digests are equal.',
    }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'What the workflow does, in at most 300 characters. It may be empty.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

const WorkflowConnection = connectionType(WorkflowType);

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
      description: 'Versions of workflows that you may read, newest first.',
      args: {
        filter: t.arg({ type: VersionFilterInput, required: true, description: 'Which versions to list.' }),
      },
      resolve: (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          versionOrder,
          (page) => listWorkflows(caller, filter, page),
          () => countWorkflows(caller, filter),
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
      required: true,
      description: 'What the workflow does.',
    }),
    subWorkflows: t.field({
      type: [SubWorkflowInput],
      defaultValue: [],
      description:
        'The workflows that nodes run inside of the same execution, at most 100. They are part of this version.',
    }),
    shortDescription: t.string({
      defaultValue: '',
      description: 'What the workflow does, in at most 300 characters.',
    }),
  }),
});

const CreateWorkflowPayload = payload('CreateWorkflowPayload', 'workflow', WorkflowType);

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
      const workflow = await createWorkflow(callerOf(context), project, {
        key: input.key,
        template: templateOf(input.template, ['input', 'template']),
        subWorkflows: (input.subWorkflows ?? []).map(({ key: id, template }, index) => ({
          id,
          template: templateOf(template, ['input', 'subWorkflows', String(index), 'template']),
        })),
        shortDescription: input.shortDescription ?? '',
      });
      return { workflow };
    },
  }),
);
