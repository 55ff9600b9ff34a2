import { builder } from '../../graphql/builder.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import type { KubernetesObjectMetadata, KubernetesPod } from '../domain/task-templates.ts';
import { DataConfigType } from './container.ts';

const KubernetesObjectMetadataType = builder
  .objectRef<KubernetesObjectMetadata>('KubernetesObjectMetadata')
  .implement({
    description: 'The labels and annotations of a pod.',
    fields: (t) => ({
      labels: t.field({
        type: [KeyValueType],
        extensions: { listSize: 5 },
        description: 'The labels of the pod.',
        resolve: ({ labels = {} }) => entriesOf(labels),
      }),
      annotations: t.field({
        type: [KeyValueType],
        extensions: { listSize: 5 },
        description: 'The annotations of the pod.',
        resolve: ({ annotations = {} }) => entriesOf(annotations),
      }),
    }),
  });

export const KubernetesPodType = builder.objectRef<KubernetesPod>('KubernetesPod').implement({
  description: "A Kubernetes pod that runs a task. Source: Flyte's K8sPod.",
  fields: (t) => ({
    metadata: t.expose('metadata', {
      type: KubernetesObjectMetadataType,
      nullable: true,
      description: 'Its labels and annotations; null if not given.',
    }),
    podSpec: t.expose('podSpec', { type: 'JSON', description: 'The PodSpec of Kubernetes.' }),
    dataConfig: t.expose('dataConfig', {
      type: DataConfigType,
      nullable: true,
      description: 'How the program gets its inputs and leaves its outputs; null if it knows this system.',
    }),
    primaryContainerName: t.exposeString('primaryContainerName', {
      nullable: true,
      description: 'The name of the container whose end is the end of the task; null if not given.',
    }),
  }),
});
