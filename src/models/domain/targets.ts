import type { Target } from '../../access/domain/resources.ts';

/** What decides about a registered model and its versions: its own grants, then its project's. */
export const registeredModelTarget = (model: {
  id: string;
  tenantId: string;
  projectId: string;
  publicAt: Date | null;
}): Target => ({
  tenantId: model.tenantId,
  resources: [
    { type: 'REGISTERED_MODEL', id: model.id },
    { type: 'PROJECT', id: model.projectId },
  ],
  isPublic: model.publicAt !== null,
});
