import type { Target } from '../../authorization/domain/resources.ts';

/** What decides about a registered model: its own grants, then its project. While it is public, everyone reads it. */
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

/** A version, and the aliases that point at it, are their model's. */
export const modelVersionTarget = (version: {
  modelId: string;
  tenantId: string;
  projectId: string;
  publicAt: Date | null;
}): Target => registeredModelTarget({ ...version, id: version.modelId });
