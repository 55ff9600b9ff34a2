import { builder } from '../../graphql/builder.ts';
import type { ExtendedResources, GpuAccelerator, SharedMemory } from '../domain/extended-resources.ts';

const GPUAcceleratorType = builder.objectRef<GpuAccelerator>('GPUAccelerator').implement({
  description: 'The model of GPU that a task needs, as a whole or in parts.',
  fields: (t) => ({
    device: t.exposeString('device', {
      description: 'The model, as the labels of the machines say: `nvidia-tesla-a100`.',
    }),
    unpartitioned: t.exposeBoolean('unpartitioned', {
      nullable: true,
      description: 'True: the GPU must not be divided. Null if not given.',
    }),
    partitionSize: t.exposeString('partitionSize', {
      nullable: true,
      description: 'The size of the part, such as `1g.5gb`. Null if not given.',
    }),
  }),
});

const SharedMemoryType = builder.objectRef<SharedMemory>('SharedMemory').implement({
  description: 'Memory that the processes of a container share.',
  fields: (t) => ({
    mountPath: t.exposeString('mountPath', {
      nullable: true,
      description: 'The folder at which it is mounted, such as `/dev/shm`. Null if not given.',
    }),
    mountName: t.exposeString('mountName', {
      nullable: true,
      description: 'The name of its volume. Null if not given.',
    }),
    sizeLimit: t.exposeString('sizeLimit', {
      nullable: true,
      description:
        'The most that it may hold, as a Kubernetes quantity. Null if the memory of the container is the limit.',
    }),
  }),
});

export const ExtendedResourcesType = builder.objectRef<ExtendedResources>('ExtendedResources').implement({
  description: 'Resources of a container that are more than an amount.',
  fields: (t) => ({
    gpuAccelerator: t.expose('gpuAccelerator', {
      type: GPUAcceleratorType,
      nullable: true,
      description: 'Which GPUs; null if any.',
    }),
    sharedMemory: t.expose('sharedMemory', {
      type: SharedMemoryType,
      nullable: true,
      description: 'Memory that processes share; null if not given.',
    }),
  }),
});
