import { recordChange } from '../../authorization/audit.ts';
import type { Project } from '../../generated/prisma/client.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { type RetentionRule, ruleProblems } from '../domain/retention-rules.ts';
import {
  deletePolicy,
  findPolicy,
  insertOrLockPolicy,
  type PolicyKey,
  type RetentionPolicyRow,
  replaceRules,
} from '../store/policies.ts';

/**
 * Sets how long the ended executions in one domain of a project are kept. A turn of a sweep that is under way ends before;
 * after this, the old rules delete nothing any more.
 *
 * @param project  on which the caller has MANAGE. It may be archived.
 * @param rules  an empty list removes the policy.
 * @param isDryRun  whether everything is checked and nothing is changed.
 * @returns the policy that is stored afterwards; null for none.
 * @throws InvalidArgumentError with all problems of the rules, or for a domain that does not exist.
 */
export async function updateRetention(
  caller: Caller,
  project: Project,
  domain: string,
  rules: readonly RetentionRule[],
  isDryRun: boolean,
): Promise<RetentionPolicyRow | null> {
  const problems = ruleProblems(rules, ['input', 'rules']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  if (rules.length > 0 && !controlPlaneConfig.domains.includes(domain))
    throw InvalidArgumentError.of(['input', 'domain'], `domain ${domain.slice(0, 100)} does not exist`);
  const key = { tenantId: caller.tenantId, projectId: project.id, domain };
  if (isDryRun) return await findPolicy(key);
  const policy = await (rules.length === 0 ? remove(caller, project, key) : set(caller, project, key, rules));
  logOf(caller).info({ projectId: project.id, domain, rules }, 'retention policy set');
  return policy;
}

async function set(
  caller: Caller,
  project: Project,
  key: PolicyKey,
  rules: readonly RetentionRule[],
): Promise<RetentionPolicyRow> {
  return await inTransaction(async (tx) => {
    const { row, isNew } = await insertOrLockPolicy(tx, key, rules, caller.userId);
    const after = isNew ? row : await replaceRules(tx, row.id, rules, caller.userId);
    await recordChange(tx, caller, auditedChange(project, isNew ? null : row, after));
    return after;
  });
}

async function remove(caller: Caller, project: Project, key: PolicyKey): Promise<null> {
  return await inTransaction(async (tx) => {
    const before = await deletePolicy(tx, key);
    if (before) await recordChange(tx, caller, auditedChange(project, before, null));
    return null;
  });
}

const auditedChange = (
  { id, identifier: name }: Project,
  before: RetentionPolicyRow | null,
  after: RetentionPolicyRow | null,
) => ({
  action: 'retention:update',
  target: { type: 'project', id, name } as const,
  before: before && { domain: before.domain, rules: before.rules },
  after: after && { domain: after.domain, rules: after.rules },
});
