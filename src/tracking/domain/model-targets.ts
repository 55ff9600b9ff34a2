import type { Target } from '../../authorization/domain/resources.ts';

/**
 * The grants on a registered model decide about it, and then those on its project. While it is public, everybody may
 * read it.
 */
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

/** A version and its aliases have the target of their model. */
export const modelVersionTarget = (version: {
  modelId: string;
  tenantId: string;
  projectId: string;
  publicAt: Date | null;
}): Target => registeredModelTarget({ ...version, id: version.modelId });
