import type { AuditedChange } from '../authorization/audit.ts';
import type { Project } from '../generated/prisma/client.ts';
import type { MatchingAttributes } from './domain/payloads.ts';
import type { Scope } from './domain/scopes.ts';

/** A change of a record for the audit log, which shows it as a change of its project. */
export function auditedChange(
  { id, identifier: name }: Project,
  scope: Scope,
  { before, after }: { before: MatchingAttributes | null; after: MatchingAttributes | null },
): AuditedChange {
  return {
    action: 'attributes:update',
    target: { type: 'project', id, name },
    before: before && summary(scope, before),
    after: after && summary(scope, after),
  };
}

/** The names of environment variables are recorded without their values, which may be secrets. */
function summary({ domain, workflow }: Scope, { resourceType, payload }: MatchingAttributes) {
  const { envs, ...others } = { envs: undefined, ...payload };
  const shown = envs === undefined ? others : { ...others, envs: Object.keys(envs) };
  return { domain, workflow, resourceType, attributes: shown };
}
