import type { Target } from '../../authorization/domain/resources.ts';

/** What decides about a project: its own grants. */
export const projectTarget = ({ id, tenantId }: { id: string; tenantId: string }): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id }],
});
