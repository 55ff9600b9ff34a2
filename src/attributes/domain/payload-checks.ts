import type { MatchableResource } from '../../generated/prisma/enums.ts';
import { labelProblems } from '../../platform/labels.ts';
import type { Place } from '../../values/problem-list.ts';
import { isGreater, isNegative, isWhole, parseQuantity, type Quantity } from '../../values/quantities.ts';
import {
  type ExecutionEnvAssignment,
  type MatchingAttributes,
  type OAuth2ClientReference,
  type Payloads,
  payloadFields,
  resourceNames,
  type SecretReference,
  type SecurityContext,
  type TaskResourceSpec,
  type WorkflowExecutionConfig,
} from './payloads.ts';

const MAX_NAME = 255;
const MAX_VALUE = 4096;
const MAX_ENTRIES = 100;
const MAX_ENVIRONMENT_BYTES = 64 * 1024;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reports all problems of a payload, each with its path. */
export function checkAttributes({ resourceType, payload }: MatchingAttributes, place: Place): void {
  const check = checks[resourceType] as (payload: Payloads[MatchableResource], place: Place) => void;
  check(payload, place.at(payloadFields[resourceType]));
}

/** Reports a name that is missing or too long. */
export function checkName(name: string, place: Place, noun: string): void {
  if (name === '') place.report('MissingField', `missing ${noun}`);
  checkLength(name, place, MAX_NAME);
}

/** An override of each type of task can be added by a separate call, so the sum is checked, too. */
export function checkOverrideCount(count: number, place: Place): void {
  if (count > MAX_ENTRIES)
    place.report(
      'TooLarge',
      `there can be at most ${MAX_ENTRIES} plugin overrides, together with the stored ones`,
    );
}

type Check<Payload> = (payload: Payload, place: Place) => void;

const checks: { readonly [Type in MatchableResource]: Check<Payloads[Type]> } = {
  TASK_RESOURCE({ defaults = {}, limits = {} }, place) {
    requireSome(Object.keys({ ...defaults, ...limits }).length, place, 'resource');
    const amounts = readAmounts(defaults, place.at('defaults'));
    for (const [name, limit] of readAmounts(limits, place.at('limits'))) {
      const amount = amounts.get(name);
      if (amount && isGreater(amount, limit))
        place.at('defaults', name).report('InvalidValue', `the default of ${name} is higher than its limit`);
    }
  },
  CLUSTER_RESOURCE({ attributes }, place) {
    const at = place.at('attributes');
    requireSome(Object.keys(attributes).length, at, 'attribute');
    checkMap(attributes, at, (key, entry) => checkName(key, entry, 'key'));
  },
  EXECUTION_QUEUE({ tags }, place) {
    const at = place.at('tags');
    requireSome(tags.length, at, 'tag');
    checkNames(tags, at, 'tag');
  },
  EXECUTION_CLUSTER_LABEL({ value }, place) {
    checkName(value, place.at('value'), 'value');
  },
  QUALITY_OF_SERVICE_SPECIFICATION({ queueingBudgetMilliseconds = 0 }, place) {
    if (queueingBudgetMilliseconds < 0)
      place.at('queueingBudget').report('InvalidValue', 'a queueing budget must not be negative');
  },
  PLUGIN_OVERRIDE({ overrides }, place) {
    const at = place.at('overrides');
    requireSome(overrides.length, at, 'plugin override');
    const types = new Set<string>();
    eachOf(overrides, at, ({ taskType, pluginIds }, override) => {
      checkName(taskType, override.at('taskType'), 'type of task');
      if (types.has(taskType)) override.at('taskType').report('DuplicateId', `${taskType} is given twice`);
      types.add(taskType);
      requireSome(pluginIds.length, override.at('pluginIds'), 'plugin');
      checkNames(pluginIds, override.at('pluginIds'), 'plugin');
    });
  },
  WORKFLOW_EXECUTION_CONFIG(config, place) {
    requireSome(Object.keys(config).length, place, 'field');
    checkExecutionConfig(config, place);
  },
  CLUSTER_ASSIGNMENT({ clusterPoolName }, place) {
    checkName(clusterPoolName, place.at('clusterPoolName'), 'name of the cluster pool');
  },
};

/** Reports all problems of a configuration, which may be empty. Launch plans and executions have the same fields. */
export function checkExecutionConfig(config: WorkflowExecutionConfig, place: Place): void {
  const { maxParallelism = 0, securityContext, rawOutputDataConfig } = config;
  const { labels = {}, annotations = {}, envs = {}, executionEnvAssignments = [] } = config;
  if (maxParallelism < 0) place.at('maxParallelism').report('InvalidValue', 'must not be negative');
  if (securityContext) checkSecurityContext(securityContext, place.at('securityContext'));
  if (rawOutputDataConfig) {
    const at = place.at('rawOutputDataConfig', 'outputLocationPrefix');
    if (rawOutputDataConfig.outputLocationPrefix === '') at.report('MissingField', 'missing prefix');
    checkLength(rawOutputDataConfig.outputLocationPrefix, at, MAX_VALUE);
  }
  for (const { path, code, message } of labelProblems(labels, []))
    place.at('labels', ...path).report(code, message);
  checkMap(annotations, place.at('annotations'), (key, entry) => checkName(key, entry, 'key'));
  checkMap(envs, place.at('envs'), (key, entry) => {
    if (!environmentName.test(key))
      entry.report(
        'InvalidValue',
        'the name of a variable must have only letters, digits and underscores, and must not begin with a digit',
      );
    checkLength(key, entry, MAX_NAME);
  });
  eachOf(executionEnvAssignments, place.at('executionEnvAssignments'), checkAssignment);
}

function checkSecurityContext(
  { runAs = {}, secrets = [], tokens = [] }: SecurityContext,
  place: Place,
): void {
  const count = Object.keys(runAs).length + secrets.length + tokens.length;
  requireSome(count, place, 'identity, secret or token');
  const { oauth2Client, ...names } = runAs;
  for (const [field, name] of Object.entries(names)) checkName(name, place.at('runAs', field), 'name');
  if (oauth2Client) checkClient(oauth2Client, place.at('runAs', 'oauth2Client'));
  eachOf(secrets, place.at('secrets'), checkSecret);
  eachOf(tokens, place.at('tokens'), (token, at) => {
    checkName(token.name, at.at('name'), 'name');
    if (token.client) checkClient(token.client, at.at('client'));
    checkLength(token.idpDiscoveryEndpoint ?? '', at.at('idpDiscoveryEndpoint'), MAX_VALUE);
    checkLength(token.tokenEndpoint ?? '', at.at('tokenEndpoint'), MAX_VALUE);
  });
}

/** Some stores of secrets know no groups, so a key is enough. */
function checkSecret({ group, groupVersion = '', key = '', envVar = '' }: SecretReference, at: Place): void {
  if (group === '' && key === '') at.at('group').report('MissingField', 'missing group');
  checkLength(group, at.at('group'), MAX_NAME);
  checkLength(groupVersion, at.at('groupVersion'), MAX_NAME);
  checkLength(key, at.at('key'), MAX_NAME);
  checkLength(envVar, at.at('envVar'), MAX_NAME);
}

function checkClient({ clientId, clientSecret }: OAuth2ClientReference, at: Place): void {
  checkName(clientId, at.at('clientId'), 'client id');
  if (clientSecret) checkSecret(clientSecret, at.at('clientSecret'));
}

function checkAssignment({ nodeIds, taskType, executionEnv }: ExecutionEnvAssignment, place: Place): void {
  requireSome(nodeIds.length, place.at('nodeIds'), 'node');
  checkNames(nodeIds, place.at('nodeIds'), 'node');
  checkName(taskType, place.at('taskType'), 'type of task');
  const at = place.at('executionEnv');
  const { name, type, version = '', extant, spec } = executionEnv;
  checkName(name, at.at('name'), 'name');
  checkName(type, at.at('type'), 'type');
  checkLength(version, at.at('version'), MAX_NAME);
  if ((extant === undefined) === (spec === undefined))
    at.report('InvalidValue', 'give either an environment that exists or the specification of a new one');
  if (Buffer.byteLength(JSON.stringify(extant ?? spec ?? null)) > MAX_ENVIRONMENT_BYTES)
    at.report('TooLarge', `must have at most ${MAX_ENVIRONMENT_BYTES} bytes as JSON`);
}

function readAmounts(spec: TaskResourceSpec, place: Place): Map<string, Quantity> {
  const amounts = new Map<string, Quantity>();
  for (const name of resourceNames) {
    const text = spec[name];
    if (text === undefined) continue;
    const at = place.at(name);
    const amount = parseQuantity(text);
    if (amount === null) at.report('InvalidValue', 'not a Kubernetes quantity, such as 500m or 1.5Gi');
    else if (isNegative(amount)) at.report('InvalidValue', 'must not be negative');
    else if (name === 'gpu' && !isWhole(amount))
      at.report('InvalidValue', 'the number of GPUs must be a whole number');
    else amounts.set(name, amount);
  }
  return amounts;
}

function requireSome(count: number, place: Place, noun: string): void {
  if (count === 0) place.report('MissingField', `give at least one ${noun}`);
}

/** Names that are all different. */
function checkNames(names: readonly string[], place: Place, noun: string): void {
  const known = new Set<string>();
  eachOf(names, place, (name, at) => {
    checkName(name, at, noun);
    if (known.has(name)) at.report('DuplicateId', `this ${noun} is given twice`);
    known.add(name);
  });
}

/** Checks each item, unless there are too many of them. */
function eachOf<Item>(items: readonly Item[], place: Place, check: (item: Item, place: Place) => void): void {
  if (items.length > MAX_ENTRIES) place.report('TooLarge', `must have at most ${MAX_ENTRIES} entries`);
  else for (const [at, item] of items.entries()) check(item, place.at(at));
}

function checkMap(
  map: Readonly<Record<string, string>>,
  place: Place,
  checkKey: (key: string, place: Place) => void,
): void {
  const entries = Object.entries(map);
  if (entries.length > MAX_ENTRIES) place.report('TooLarge', `must have at most ${MAX_ENTRIES} entries`);
  else
    for (const [key, value] of entries) {
      checkKey(key, place.at(key));
      checkLength(value, place.at(key), MAX_VALUE);
    }
}

function checkLength(text: string, place: Place, longest: number): void {
  if (text.length > longest) place.report('InvalidValue', `must have at most ${longest} characters`);
}
