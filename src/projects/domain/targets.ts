import type { Target } from '../../authorization/domain/resources.ts';

/** The grants on a project decide about it. */
export const projectTarget = ({ id, tenantId }: { id: string; tenantId: string }): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id }],
});
