import type { ResourceType } from '../../generated/prisma/enums.ts';

/** What a resource is called in messages and in the audit log, as rules call it. */
export const kinds: Readonly<Record<ResourceType, string>> = {
  TENANT: 'tenant',
  PROJECT: 'project',
  EXPERIMENT: 'experiment',
  REGISTERED_MODEL: 'registered model',
  WORKFLOW: 'workflow',
  QUEUE: 'queue',
};
