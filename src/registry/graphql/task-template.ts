import { SecurityContextType } from '../../attributes/graphql/security-context.ts';
import { builder } from '../../graphql/builder.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { outcomeOf } from '../../values/problem-list.ts';
import type { Reader } from '../../values/readers.ts';
import { extendedResources } from '../domain/extended-resources.ts';
import { securityContext } from '../domain/security-context.ts';
import type { SqlStatement, TaskTemplate } from '../domain/task-templates.ts';
import { ContainerType } from './container.ts';
import { ExtendedResourcesType } from './extended-resources.ts';
import { KubernetesPodType } from './kubernetes-pod.ts';
import { TaskMetadataType } from './task-metadata.ts';
import { SqlDialectEnum } from './task-template-enums.ts';
import { TypedInterfaceType } from './typed-interface.ts';

const SqlStatementType = builder.objectRef<SqlStatement>('SqlStatement').implement({
  description: 'An SQL statement that a plugin runs.',
  fields: (t) => ({
    statement: t.exposeString('statement', { description: 'The text of the statement.' }),
    dialect: t.expose('dialect', { type: SqlDialectEnum, description: 'The dialect of the statement.' }),
  }),
});

/**
 * A part of a template that was registered as any JSON before it had a form. Null if it does not have the form.
 */
function readable<T>(read: Reader<T>, part: unknown): T | null {
  const outcome = outcomeOf([], (place) => read(part, place));
  return outcome.ok ? outcome.value : null;
}

export const TaskTemplateType = builder.objectRef<TaskTemplate>('TaskTemplate').implement({
  description:
    "What a task runs, and how, after the checks. At most one of `container`, `k8sPod` and `sql` is not null. Source: Flyte's TaskTemplate.",
  fields: (t) => ({
    type: t.exposeString('type', { description: 'The plugin that runs it, such as `container`.' }),
    taskTypeVersion: t.int({
      description: 'The version of the plugin that `type` names.',
      resolve: ({ taskTypeVersion }) => taskTypeVersion ?? 0,
    }),
    metadata: t.expose('metadata', {
      type: TaskMetadataType,
      description: 'Settings that do not depend on the type of the task.',
    }),
    interface: t.expose('interface', {
      type: TypedInterfaceType,
      description: 'The inputs and outputs of the task.',
    }),
    container: t.expose('container', {
      type: ContainerType,
      nullable: true,
      description: 'Set if a container runs the task.',
    }),
    k8sPod: t.expose('k8sPod', {
      type: KubernetesPodType,
      nullable: true,
      description: 'Set if a pod of Kubernetes runs the task.',
    }),
    sql: t.expose('sql', {
      type: SqlStatementType,
      nullable: true,
      description: 'Set if the task is an SQL statement.',
    }),
    custom: t.expose('custom', {
      type: 'JSON',
      nullable: true,
      description: 'Settings for the plugin, as a JSON object; null if there are none.',
    }),
    config: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Settings for the plugin, as texts.',
      resolve: ({ config = {} }) => entriesOf(config),
    }),
    securityContext: t.field({
      type: SecurityContextType,
      nullable: true,
      description:
        'With which identity the task runs, and which secrets it needs; null if not given. Tokens and OAuth 2 clients are in the JSON form.',
      resolve: (template) => readable(securityContext, template.securityContext),
    }),
    extendedResources: t.field({
      type: ExtendedResourcesType,
      nullable: true,
      description: 'Which GPUs the task needs, and how much shared memory; null if not given.',
      resolve: (template) => readable(extendedResources, template.extendedResources),
    }),
  }),
});
