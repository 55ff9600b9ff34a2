import { isCastable, onlyCastableVariant } from '../../values/castable.ts';
import { fitLiteral } from '../../values/fit-literal.ts';
import { entryOf } from '../../values/json.ts';
import { isOptionalType, type LiteralType, typeText, type Variable } from '../../values/literal-types.ts';
import { literalFromPlain } from '../../values/plain-values.ts';
import type { Place } from '../../values/problem-list.ts';
import { onlyFittingVariant, variantsOf } from '../../values/unions.ts';
import { type AttributeType, typeAtPath } from './attribute-types.ts';
import {
  type Binding,
  type BindingData,
  type CompiledBinding,
  type CompiledBindingData,
  type OutputReference,
  START_NODE_ID,
} from './workflow-templates.ts';

/** An output, as promises find it by its name or an alias. `var` is its own name. */
export interface Output {
  readonly var: string;
  readonly type: LiteralType;
}

/** By node id. A node whose interface was not found has the value null; its problem is reported elsewhere. */
export type Outputs = ReadonlyMap<string, ReadonlyMap<string, Output> | null>;

/**
 * Checks that the bindings give each variable a value of its type exactly once. Returns them compiled and sorted by
 * variable. A variable may have no binding if its type is a union with NONE.
 *
 * @param defaulted  further variables that need no binding.
 *
 * Problems, with the path of the variable: `VariableNameNotFound`, `ParameterBoundMoreThanOnce`, `ParameterNotBound`,
 * and the problems of each binding. Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/bindings.go`.
 */
export function compileBindings(
  bindings: readonly Binding[],
  variables: Readonly<Record<string, Variable>>,
  outputs: Outputs,
  place: Place,
  defaulted: ReadonlySet<string> = new Set(),
): CompiledBinding[] {
  const compiled = new Map<string, CompiledBinding>();
  const bound = new Set<string>();
  for (const binding of bindings) {
    const at = place.at(binding.var);
    const variable = entryOf(variables, binding.var);
    if (variable === undefined)
      at.report('VariableNameNotFound', `the interface has no variable ${binding.var}`);
    else if (bound.has(binding.var)) {
      at.report('ParameterBoundMoreThanOnce', `${binding.var} is bound more than once`);
    } else {
      const data = compileBindingData(binding.binding, variable.type, outputs, at);
      if (data !== undefined) compiled.set(binding.var, { var: binding.var, binding: data });
    }
    bound.add(binding.var);
  }
  for (const [name, { type }] of Object.entries(variables)) {
    if (bound.has(name) || defaulted.has(name) || isOptionalType(type)) continue;
    place.at(name).report('ParameterNotBound', `${name} is not bound`);
  }
  return [...compiled.keys()].sort().flatMap((name) => compiled.get(name) ?? []);
}

/** The ids of the nodes whose outputs a binding needs, including start-node. */
export function promisedNodeIds(data: BindingData): string[] {
  if ('promise' in data) return [data.promise.nodeId || START_NODE_ID];
  if ('collection' in data) return data.collection.bindings.flatMap(promisedNodeIds);
  return 'map' in data ? Object.values(data.map.bindings).flatMap(promisedNodeIds) : [];
}

/**
 * The ids of the nodes whose outputs the bindings need, each once. start-node is not included, because its outputs are
 * the inputs of the workflow.
 */
export function promisedNodesOf(bindings: readonly { readonly binding: BindingData }[]): string[] {
  const ids = new Set(bindings.flatMap(({ binding }) => promisedNodeIds(binding)));
  ids.delete(START_NODE_ID);
  return [...ids];
}

function compileBindingData(
  data: BindingData,
  type: LiteralType,
  outputs: Outputs,
  place: Place,
): CompiledBindingData | undefined {
  if ('promise' in data) return compilePromise(data.promise, type, outputs, place);
  if ('value' in data) {
    const literal = literalFromPlain(type, data.value, place);
    return literal && { literal };
  }
  if ('literal' in data) {
    const literal = fitLiteral(type, data.literal, place);
    return literal && { literal };
  }
  if ('unionType' in type) {
    const candidates = variantsOf(type.unionType).forLiteral('collection' in data ? 'LIST' : 'MAP');
    const fitting = onlyFittingVariant(type.unionType, candidates, place, (variant, at) =>
      compileBindingData(data, variant, outputs, at),
    );
    return fitting && { ...fitting.value, union: { targetType: fitting.variant } };
  }
  if ('collection' in data) return compileCollection(data.collection.bindings, type, outputs, place);
  return compileMap(data.map.bindings, type, outputs, place);
}

function compileCollection(
  items: readonly BindingData[],
  type: LiteralType,
  outputs: Outputs,
  place: Place,
): CompiledBindingData | undefined {
  if (!('collectionType' in type)) return mismatchingBindings('a list', type, place);
  const bindings = items.map((item, index) =>
    compileBindingData(item, type.collectionType, outputs, place.at(index)),
  );
  return bindings.every((binding) => binding !== undefined) ? { collection: { bindings } } : undefined;
}

function compileMap(
  entries: Readonly<Record<string, BindingData>>,
  type: LiteralType,
  outputs: Outputs,
  place: Place,
): CompiledBindingData | undefined {
  if (!('mapValueType' in type)) return mismatchingBindings('a map', type, place);
  const bindings = Object.entries(entries).flatMap(([key, entry]) => {
    const compiled = compileBindingData(entry, type.mapValueType, outputs, place.at(key));
    return compiled === undefined ? [] : [[key, compiled] as const];
  });
  if (bindings.length < Object.keys(entries).length) return undefined;
  return { map: { bindings: Object.fromEntries(bindings) } };
}

function mismatchingBindings(given: string, type: LiteralType, place: Place): undefined {
  return place.report('MismatchingBindings', `expected ${typeText(type)}, got ${given} of bindings`);
}

/** What a promise names: the output by its own name, and the type of the part that it takes. */
interface Promised {
  readonly nodeId: string;
  readonly var: string;
  readonly type: AttributeType;
}

/** Problems: `NodeReferenceNotFound`, `VariableNameNotFound`, `FieldNotFound`. */
export function followPromise(
  promise: OutputReference,
  outputs: Outputs,
  place: Place,
): Promised | undefined {
  const nodeId = promise.nodeId || START_NODE_ID;
  const ofNode = outputs.get(nodeId);
  if (ofNode === undefined)
    return place.report('NodeReferenceNotFound', `the workflow has no node ${nodeId}`);
  if (ofNode === null) return undefined;
  const output = ofNode.get(promise.var);
  if (output === undefined) {
    return place.report('VariableNameNotFound', `the node ${nodeId} has no output ${promise.var}`);
  }
  const type = typeAtPath(output.type, promise.attrPath ?? [], place);
  return type && { nodeId, var: output.var, type };
}

function compilePromise(
  promise: OutputReference,
  type: LiteralType,
  outputs: Outputs,
  place: Place,
): CompiledBindingData | undefined {
  const promised = followPromise(promise, outputs, place);
  if (promised === undefined) return undefined;
  const { type: upstream, ...target } = promised;
  const { attrPath = [] } = promise;
  // An empty path and no path mean the same, so only one of the two forms is stored.
  const compiled = {
    promise: attrPath.length > 0 ? { ...target, attrPath } : target,
  };
  if (upstream === 'UNKNOWN') return compiled;
  if (!isCastable(upstream, type)) {
    return place.report('MismatchingTypes', `expected ${typeText(type)}, got ${typeText(upstream)}`);
  }
  if (!('unionType' in type) || 'unionType' in upstream) return compiled;
  const targetType = onlyCastableVariant(upstream, type.unionType.variants);
  return targetType === undefined ? compiled : { ...compiled, union: { targetType } };
}
