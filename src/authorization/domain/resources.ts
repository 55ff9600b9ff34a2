import type { ResourceType } from '../../generated/prisma/enums.ts';

/** Something that grants can be about. */
export interface Resource {
  readonly type: ResourceType;
  readonly id: string;
}

/**
 * A protected object as a decision sees it: whose it is, and the resources whose grants decide about it, nearest first:
 * an execution's are its workflow and its project. The tenant, the last of all, goes without saying.
 */
export interface Target {
  readonly tenantId: string;
  readonly resources: readonly Resource[];
  /** Asked about all of a type rather than about an object: the type, and `resources` is empty. */
  readonly allOf?: ResourceType;
  /** Readable by every tenant, and changeable by none. */
  readonly isPublic?: boolean;
}
