/** Attributes through the API, as a user sets and reads them. */
import { db } from '../../src/platform/database/client.ts';
import type { Answer, App } from '../support/app.ts';
import { answerOf, mutate } from '../support/mutate.ts';
import { homeTenant } from '../support/users.ts';

/** The address of a scope. */
export interface Address {
  readonly project: string;
  readonly domain?: string;
  readonly workflow?: string;
}

export type ScopeName = 'Project' | 'ProjectDomain' | 'Workflow';

/** The word for a scope in the names of its fields. */
export function scopeName({ domain, workflow }: Address): ScopeName {
  if (workflow !== undefined) return 'Workflow';
  return domain === undefined ? 'Project' : 'ProjectDomain';
}

const pairs = '{ key value }';
export const recordFields = `projectIdentifier domain workflowName launchPlanName resourceType attributes {
  taskResource {
    defaults { cpu gpu memory storage ephemeralStorage } limits { cpu gpu memory storage ephemeralStorage }
  }
  clusterResource { attributes ${pairs} }
  executionQueue { tags }
  executionClusterLabel { value }
  qualityOfService { tier queueingBudget }
  pluginOverride { overrides { taskType pluginIds missingPluginBehavior } }
  workflowExecutionConfig {
    maxParallelism interruptible overwriteCache
    securityContext {
      runAs { iamRole k8sServiceAccount executionIdentity }
      secrets { group groupVersion key mountRequirement }
    }
    rawOutputDataConfig { outputLocationPrefix }
    labels ${pairs} annotations ${pairs} envs ${pairs}
    executionEnvAssignments { nodeIds taskType executionEnv { name type version extant spec } }
  }
  clusterAssignment { clusterPoolName }
}`;

/** Sets attributes. @returns the record, or the error. */
export async function update(
  app: App,
  address: Address,
  attributes: object,
  authorization?: string,
): Promise<Answer> {
  const field = `update${scopeName(address)}Attributes`;
  const selected = `matchableAttributes { ${recordFields} }`;
  const answer = await mutate(app, field, { ...address, attributes }, selected, authorization);
  return answer.matchableAttributes ?? answer;
}

/** Deletes attributes. @returns the record that was deleted, null if there was none, or the error. */
export async function remove(
  app: App,
  address: Address,
  resourceType: string,
  authorization?: string,
): Promise<Answer> {
  const field = `delete${scopeName(address)}Attributes`;
  const selected = `matchableAttributes { ${recordFields} }`;
  const answer = await mutate(app, field, { ...address, resourceType }, selected, authorization);
  return 'matchableAttributes' in answer ? answer.matchableAttributes : answer;
}

/** Looks attributes up. @returns the record, or how it was refused. */
export async function read(
  app: App,
  address: Address,
  resourceType: string,
  authorization?: string,
): Promise<Answer> {
  const name = scopeName(address);
  const field = `${name.charAt(0).toLowerCase()}${name.slice(1)}Attributes`;
  const answer = await app.ask(
    `query ($key: ${name}AttributesKeyInput!) { ${field}(key: $key) { ${recordFields} createdAt updatedAt } }`,
    { key: { ...address, resourceType } },
    authorization,
  );
  return answerOf(answer);
}

/** A project that no user has archived through the API, because no operation does this yet. */
export async function archive(identifier: string): Promise<void> {
  const tenantId = await homeTenant();
  await db.project.updateMany({ where: { tenantId, identifier }, data: { state: 'ARCHIVED' } });
}

export const override = (taskType: string, ...pluginIds: readonly string[]) => ({ taskType, pluginIds });
export const overrides = (...all: readonly object[]) => ({ pluginOverride: { overrides: all } });
export const tags = (...all: readonly string[]) => ({ executionQueue: { tags: all } });
