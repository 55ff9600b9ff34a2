import type { EntityKey } from './entity-keys.ts';

/**
 * Whether tasks of a type may be registered in a domain of a project.
 *
 * @param whitelist  the scopes of types, `project` or `project/domain`. A type without scopes is allowed everywhere.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/task_validator.go`.
 */
export function isTypeAllowed(
  whitelist: ReadonlyMap<string, ReadonlySet<string>>,
  type: string,
  { project, domain }: Pick<EntityKey, 'project' | 'domain'>,
): boolean {
  const scopes = whitelist.get(type);
  if (!scopes || scopes.size === 0) return true;
  return scopes.has(project) || scopes.has(`${project}/${domain}`);
}
