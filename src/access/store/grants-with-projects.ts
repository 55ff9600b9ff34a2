import type { BesideGrants } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import { sql } from '../../platform/database/sql.ts';

/** A grant, and the identifier of its project if that was read together with the grant. */
export interface GrantWithProject extends Grant {
  /** Null if the resource of the grant is no project that exists. */
  readonly projectIdentifier?: string | null;
}

/** The identifiers of the projects of grants. */
export const besideProjects: BesideGrants = {
  columns: sql`, project.identifier as "projectIdentifier"`,
  joins: sql`left join projects as project
    on project.id = grants.resource_id and project.tenant_id = grants.tenant_id`,
};
