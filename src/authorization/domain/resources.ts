import type { ResourceType } from '../../generated/prisma/enums.ts';

/** A resource on which levels can be granted. */
export interface Resource {
  readonly type: ResourceType;
  readonly id: string;
}

/**
 * A protected object as a decision sees it: its tenant, and the resources whose grants decide about it, nearest first.
 * For an execution, these are its workflow and its project. The tenant is always the last one and is not listed.
 */
export interface Target {
  readonly tenantId: string;
  readonly resources: readonly Resource[];
  /** Set if the decision is about all resources of a type; then `resources` is empty. */
  readonly allOf?: ResourceType;
  /** Every tenant may read it, and nobody may change it. */
  readonly isPublic?: boolean;
}
