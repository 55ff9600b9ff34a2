import { recordChange } from '../../authorization/audit.ts';
import type { Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { Place } from '../../values/problem-list.ts';
import { auditedChange } from '../audited-change.ts';
import { checkAttributes, checkOverrideCount } from '../domain/payload-checks.ts';
import { type MatchingAttributes, payloadFields } from '../domain/payloads.ts';
import { mergedOverrides } from '../domain/plugin-overrides.ts';
import type { Scope } from '../domain/scopes.ts';
import { requireOpenScope } from '../open-scope.ts';
import { type AttributesRecord, insertOrLock, replacePayload } from '../store.ts';

const attributesPath = ['input', 'attributes'];

/**
 * Stores what applies to a scope. It replaces what was stored for this scope and kind, except plugin overrides: they
 * replace only the overrides of the same types of tasks.
 *
 * @throws InvalidArgumentError with all problems of the payload, or as `requireOpenScope` does. Source: Flyte's
 * UpdateProjectDomainAttributes and its like; Flyte does not merge plugin overrides of projects.
 */
export async function updateAttributes(
  caller: Caller,
  project: Project,
  scope: Scope,
  given: MatchingAttributes,
): Promise<AttributesRecord> {
  requireOpenScope(project, scope);
  const place = new Place(attributesPath);
  checkAttributes(given, place);
  place.problems.throwIfAny();
  return await inTransaction(async (tx) => {
    const { record, isNew } = await insertOrLock(tx, caller.tenantId, scope, given);
    const after = isNew ? record : await replacePayload(tx, record, replacementOf(record, given));
    await recordChange(tx, caller, auditedChange(project, scope, { before: isNew ? null : record, after }));
    return after;
  });
}

/** @throws InvalidArgumentError for too many plugin overrides. */
function replacementOf(stored: MatchingAttributes, given: MatchingAttributes): MatchingAttributes {
  if (stored.resourceType !== 'PLUGIN_OVERRIDE' || given.resourceType !== 'PLUGIN_OVERRIDE') return given;
  const overrides = mergedOverrides(stored.payload.overrides, given.payload.overrides);
  const place = new Place([...attributesPath, payloadFields.PLUGIN_OVERRIDE, 'overrides']);
  checkOverrideCount(overrides.length, place);
  place.problems.throwIfAny();
  return { ...given, payload: { overrides } };
}
