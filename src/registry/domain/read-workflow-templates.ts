import { InvalidArgumentError } from '../../platform/errors.ts';
import { isRecord } from '../../values/json.ts';
import { onlyKey } from '../../values/one-of.ts';
import { Place, valueOrThrow } from '../../values/problem-list.ts';
import { typedInterface } from '../../values/read-literal-types.ts';
import { literal } from '../../values/read-literals.ts';
import {
  boolean,
  choice,
  defaulting,
  fields,
  json,
  list,
  mapOf,
  name,
  optional,
  type Reader,
  required,
  text,
} from '../../values/readers.ts';
import type { EntityKey } from './entity-keys.ts';
import { retries, timeout } from './read-task-templates.ts';
import {
  type Attribute,
  type Binding,
  type BindingData,
  failurePolicies,
  type Node,
  type OutputReference,
  type WorkflowTemplate,
} from './workflow-templates.ts';

/** The largest number of nodes. Source: Flyte v1.16, `flyteadmin/pkg/runtime/registration_validation_provider.go`. */
const MAX_NODES = 100;

/** How deep bindings may be nested, the same as the types that they are bound to. */
const MAX_BINDING_DEPTH = 32;

/**
 * Checks the form of a workflow template from outside and returns its stored form. `compileWorkflow` checks whether
 * names exist and types fit.
 *
 * @param maxNodes the largest number of nodes; 0 means no limit.
 * @throws InvalidArgumentError with all problems: `MissingField`, `ValueRequired`, `UnrecognizedValue`, `InvalidValue`.
 * Too many nodes are reported at once and as the only problem. Paths name nodes by id and bindings by variable:
 * `input.template.nodes.train.inputs.rows`.
 * Source: Flyte v1.16, `flyteidl/core/workflow.proto`.
 */
export function readWorkflowTemplate(
  input: unknown,
  path: readonly string[] = ['input', 'template'],
  maxNodes = MAX_NODES,
): WorkflowTemplate {
  const place = new Place(path);
  const nodes = isRecord(input) ? input['nodes'] : undefined;
  // Checked before any of the nodes is read.
  if (maxNodes > 0 && Array.isArray(nodes) && nodes.length > maxNodes) {
    const message = `a workflow must have at most ${maxNodes} nodes, got ${nodes.length}`;
    throw InvalidArgumentError.of([...path, 'nodes'], message);
  }
  return valueOrThrow(workflowTemplate(input, place), place);
}

export const entityKey = fields<EntityKey>({
  project: required(name),
  domain: required(name),
  name: required(name),
  version: required(name),
});

const attribute: Reader<Attribute> = (value, place) => {
  if (typeof value === 'string') return text(value, place);
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  return place.report('InvalidValue', 'expected a key or an index of at least 0');
};

const outputReference = fields<OutputReference>({
  nodeId: defaulting(text, ''),
  var: required(name),
  attrPath: optional(list(attribute)),
});

function bindingDataWithin(depth: number): Reader<BindingData> {
  return (value, place) => {
    if (depth === 0)
      return place.report('InvalidValue', `bindings must be nested at most ${MAX_BINDING_DEPTH} levels deep`);
    const inner = bindingDataWithin(depth - 1);
    const readers = {
      promise: required(outputReference),
      value: required(json),
      literal: required(literal),
      collection: required(fields({ bindings: defaulting(list(inner), []) })),
      map: required(fields({ bindings: defaulting(mapOf(inner, text), {}) })),
    };
    // Here, null is a value to bind. Elsewhere it means that a field is absent.
    if (isRecord(value) && value['value'] === null && Object.keys(value).length === 1) return { value: null };
    const kind = onlyKey(value, readers, place);
    if (kind === undefined) return undefined;
    return fields({ [kind]: readers[kind] })(value, place) as BindingData | undefined;
  };
}

const binding = fields<Binding>({
  var: required(name),
  binding: required(bindingDataWithin(MAX_BINDING_DEPTH)),
});

const node = fields<Node>({
  // The compiler reports an empty id, together with its other problems.
  id: defaulting(text, ''),
  metadata: optional(
    fields({
      name: optional(name),
      timeout: optional(timeout),
      retries: optional(retries),
      interruptible: optional(boolean),
    }),
  ),
  inputs: defaulting(list(binding, 'var'), []),
  upstreamNodeIds: defaulting(list(name), []),
  outputAliases: optional(list(fields({ var: required(name), alias: required(name) }))),
  taskNode: required(fields({ referenceId: required(entityKey) })),
});

const workflowTemplate = fields<WorkflowTemplate>({
  metadata: defaulting(
    fields({
      onFailure: defaulting(choice(...failurePolicies), 'FAIL_IMMEDIATELY'),
    }),
    {
      onFailure: 'FAIL_IMMEDIATELY',
    },
  ),
  metadataDefaults: optional(fields({ interruptible: optional(boolean) })),
  interface: required(typedInterface),
  nodes: defaulting(list(node, 'id'), []),
  outputs: defaulting(list(binding, 'var'), []),
});
