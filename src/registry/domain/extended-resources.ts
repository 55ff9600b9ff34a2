import { isNegative, parseQuantity } from '../../values/quantities.ts';
import {
  boolean,
  checked,
  fields,
  nonEmptyText,
  optional,
  type Reader,
  required,
  text,
} from '../../values/readers.ts';

/** Source: Flyte v1.16, `flyteidl/core/tasks.proto`. */
export interface ExtendedResources {
  readonly gpuAccelerator?: GpuAccelerator;
  readonly sharedMemory?: SharedMemory;
}

/** A model of GPU. It is used as a whole, or in parts; undefined for both means that the engine decides. */
export interface GpuAccelerator {
  /** The model, as the label of the machines says: `nvidia-tesla-a100`. */
  readonly device: string;
  readonly unpartitioned?: boolean;
  /** The size of the part: `1g.5gb`. */
  readonly partitionSize?: string;
}

/** Memory that the processes of a container share. */
export interface SharedMemory {
  readonly mountPath?: string;
  readonly mountName?: string;
  /** A Kubernetes quantity. Undefined means the memory of the container. */
  readonly sizeLimit?: string;
}

const gpuAccelerator = checked(
  fields<GpuAccelerator>({
    device: required(nonEmptyText),
    unpartitioned: optional(boolean),
    partitionSize: optional(text),
  }),
  ({ unpartitioned, partitionSize }, place) => {
    if (unpartitioned === true && partitionSize !== undefined)
      place
        .at('partitionSize')
        .report('InvalidValue', 'a GPU is used as a whole or in parts: give unpartitioned or partitionSize');
  },
);

const quantity: Reader<string> = (value, place) => {
  const read = text(value, place);
  const amount = read === undefined ? null : parseQuantity(read);
  if (read === undefined || (amount && !isNegative(amount))) return read;
  return place.report('InvalidValue', `${read} is not a Kubernetes quantity of at least 0`);
};

/** Problems: those of the readers of its parts, and `InvalidValue` for a GPU both as a whole and in parts. */
export const extendedResources = fields<ExtendedResources>({
  gpuAccelerator: optional(gpuAccelerator),
  sharedMemory: optional(
    fields<SharedMemory>({
      mountPath: optional(text),
      mountName: optional(text),
      sizeLimit: optional(quantity),
    }),
  ),
});
