import type { MatchableResource } from '../../generated/prisma/enums.ts';
import type { MatchingAttributes, Payloads, WorkflowExecutionConfig } from './payloads.ts';
import { isWithin, priorityOf, projectScope, type Scope } from './scopes.ts';

/** A record, as far as resolving needs it. */
export type ScopedAttributes = Scope & MatchingAttributes;

/**
 * The record that counts for a scope: of the records of this kind whose scope contains it, the one with the highest
 * priority. It counts as a whole; nothing is merged with records of wider scopes. Null if there is none, which means
 * the configuration of the service. Source: Flyte's resolution of matchable attributes.
 */
export function mostSpecific<Row extends ScopedAttributes, Type extends MatchableResource>(
  records: readonly Row[],
  resourceType: Type,
  scope: Scope,
): Extract<Row, { readonly resourceType: Type }> | null {
  const matching = records.filter(
    (row): row is Extract<Row, { readonly resourceType: Type }> =>
      row.resourceType === resourceType && isWithin(scope, row),
  );
  return matching.sort((one, other) => priorityOf(other) - priorityOf(one))[0] ?? null;
}

const upToWorkflow = (scope: Scope): Scope => ({ ...scope, launchPlan: null });
const upToDomain = (scope: Scope): Scope => ({ ...scope, workflow: null, launchPlan: null });

/** The parts of the scope of an execution with which each kind is looked up. Source: Flyte's consumers. */
const lookups: Readonly<Record<MatchableResource, (scope: Scope) => Scope>> = {
  TASK_RESOURCE: upToWorkflow,
  CLUSTER_RESOURCE: upToDomain,
  EXECUTION_QUEUE: upToWorkflow,
  EXECUTION_CLUSTER_LABEL: upToWorkflow,
  QUALITY_OF_SERVICE_SPECIFICATION: upToWorkflow,
  PLUGIN_OVERRIDE: (scope) => scope,
  WORKFLOW_EXECUTION_CONFIG: upToWorkflow,
  CLUSTER_ASSIGNMENT: upToDomain,
};

/** What applies to an execution of this scope; null if nothing does. Only plugin overrides look at the launch plan. */
export function payloadFor<Type extends MatchableResource>(
  records: readonly ScopedAttributes[],
  resourceType: Type,
  scope: Scope,
): Payloads[Type] | null {
  const record: { readonly payload: unknown } | null = mostSpecific(
    records,
    resourceType,
    lookups[resourceType](scope),
  );
  return (record?.payload as Payloads[Type] | undefined) ?? null;
}

/**
 * The two configurations of an execution, for a caller that takes each field from the first one that has it. If only
 * the project has a record, both are that record. A record of the domain is not read if the workflow has one.
 */
export function executionConfigsFor(
  records: readonly ScopedAttributes[],
  scope: Scope,
): { readonly specific: WorkflowExecutionConfig | null; readonly project: WorkflowExecutionConfig | null } {
  return {
    specific: payloadFor(records, 'WORKFLOW_EXECUTION_CONFIG', scope),
    project: payloadFor(records, 'WORKFLOW_EXECUTION_CONFIG', projectScope(scope.projectId)),
  };
}
