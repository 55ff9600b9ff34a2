import { InvalidArgumentError } from '../../platform/errors.ts';
import { isRecord } from '../../values/json.ts';
import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { typedInterface } from '../../values/read-literal-types.ts';
import {
  boolean,
  choice,
  defaulting,
  fields,
  jsonObject,
  list,
  mapOf,
  optional,
  required,
  text,
} from '../../values/readers.ts';
import { binding } from './read-bindings.ts';
import { entityKey, node } from './read-nodes.ts';
import { failurePolicies, type SubWorkflow, type WorkflowTemplate } from './workflow-templates.ts';

/**
 * Checks the form of a workflow template from outside and returns its stored form. `compileWorkflow` checks whether
 * names exist and types fit.
 *
 * @param maxNodes  the largest number of nodes; 0 means no limit.
 * @throws InvalidArgumentError with all problems: `MissingField`, `ValueRequired`, `UnrecognizedValue`, `InvalidValue`.
 * Too many nodes are reported at once and as the only problem. Paths name nodes by id and bindings by variable:
 * `input.template.nodes.train.inputs.rows`.
 * Source: Flyte v1.16, `flyteidl/core/workflow.proto`.
 */
export function readWorkflowTemplate(
  input: unknown,
  path: readonly string[] = ['input', 'template'],
  maxNodes = 0,
): WorkflowTemplate {
  const place = new Place(path);
  checkNodeCount(input, maxNodes, place);
  return valueOrThrow(workflowTemplate(input, place), place);
}

/** Checked before any of the nodes is read. Source: Flyte v1.16, `flyteadmin/pkg/runtime/registration_validation_provider.go`. */
function checkNodeCount(template: unknown, maxNodes: number, place: Place): void {
  const nodes = isRecord(template) ? template['nodes'] : undefined;
  if (maxNodes === 0 || !Array.isArray(nodes) || nodes.length <= maxNodes) return;
  const message = `a workflow must have at most ${maxNodes} nodes, got ${nodes.length}`;
  throw InvalidArgumentError.of(place.at('nodes').path, message);
}

const workflowTemplate = fields<WorkflowTemplate>({
  metadata: defaulting(
    fields<WorkflowTemplate['metadata']>({
      onFailure: defaulting(choice(...failurePolicies), 'FAIL_IMMEDIATELY'),
      qualityOfService: optional(jsonObject),
      tags: optional(mapOf(text)),
    }),
    {
      onFailure: 'FAIL_IMMEDIATELY',
    },
  ),
  metadataDefaults: optional(fields({ interruptible: optional(boolean) })),
  interface: required(typedInterface),
  nodes: defaulting(list(node, 'id'), []),
  outputs: defaulting(list(binding, 'var'), []),
  failureNode: optional(node),
});

const subWorkflow = fields<SubWorkflow>({ id: required(entityKey), template: required(workflowTemplate) });

/** How many workflows one registration may bring along. */
const MAX_SUB_WORKFLOWS = 100;

/**
 * Checks the form of the workflows that nodes of the registered workflow run. Paths name them by their place in the
 * list.
 *
 * @param maxNodes  the largest number of nodes of each of them; 0 means no limit.
 * @throws InvalidArgumentError with all problems, as `readWorkflowTemplate`.
 */
export function readSubWorkflows(
  input: unknown,
  path: readonly string[] = ['input', 'subWorkflows'],
  maxNodes = 0,
): SubWorkflow[] {
  const place = new Place(path);
  if (Array.isArray(input) && input.length > MAX_SUB_WORKFLOWS) {
    const message = `a registration must have at most ${MAX_SUB_WORKFLOWS} further workflows, got ${input.length}`;
    throw InvalidArgumentError.of(path, message);
  }
  for (const [index, one] of (Array.isArray(input) ? input : []).entries())
    if (isRecord(one)) checkNodeCount(one['template'], maxNodes, place.at(index, 'template'));
  return valueOrThrow(list(subWorkflow)(input, place), place);
}
