import { fitLiteral } from '../../values/fit-literal.ts';
import { entryOf } from '../../values/json.ts';
import type { LiteralType, Variable } from '../../values/literal-types.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { literalFromPlain } from '../../values/plain-values.ts';
import { naming, type Outcome, outcomeOf, type Place, type Work } from '../../values/problem-list.ts';
import { absentValue, unionLiteral } from '../../values/unions.ts';
import { valueAtPath } from './attribute-values.ts';
import {
  type CompiledBinding,
  type CompiledBindingData,
  type OutputReference,
  START_NODE_ID,
} from './workflow-templates.ts';

/** The values that are known so far. */
export interface UpstreamValues {
  /** The inputs of the workflow, which promises from start-node name. */
  readonly inputs: LiteralMap;
  /** By node id. */
  readonly outputs: ReadonlyMap<string, LiteralMap>;
}

/**
 * The values of the inputs of a node, or of the outputs of the workflow, from compiled bindings. Each literal has the
 * form of its variable's type. A variable of an optional type has no value if it is not bound, or if its promise has no
 * value.
 *
 * @param variables the inputs of the node's interface, or the outputs of the workflow's interface.
 * Problems: `ValueRequired` for an output that its node did not give, `FieldNotFound` for an attribute that the value
 * does not have, `ParameterNotBound`, and the problems of `checkLiteral` and, inside structs, of `coerceToLiteral`.
 * Source: Flyte v1.16, `flytepropeller/pkg/controller/nodes/resolve.go`.
 */
export function resolveBindings(
  bindings: readonly CompiledBinding[],
  variables: Readonly<Record<string, Variable>>,
  upstream: UpstreamValues,
  work?: Work,
): Outcome<LiteralMap> {
  const byName = new Map(bindings.map((binding) => [binding.var, binding.binding]));
  const resolveAll = (place: Place): LiteralMap => {
    const resolved = Object.entries(variables).flatMap(([name, { type }]) => {
      const value = naming(name, place.at(name), (at) =>
        resolveVariable(byName.get(name), type, upstream, at),
      );
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(resolved);
  };
  return outcomeOf([], resolveAll, work);
}

function resolveVariable(
  data: CompiledBindingData | undefined,
  type: LiteralType,
  upstream: UpstreamValues,
  place: Place,
): Literal | undefined {
  if (data !== undefined) return resolveData(data, type, upstream, place);
  return absentValue(type, place) ?? place.report('ParameterNotBound', 'no value is bound to it');
}

function resolveData(
  data: CompiledBindingData,
  type: LiteralType,
  upstream: UpstreamValues,
  place: Place,
): Literal | undefined {
  if ('promise' in data) return resolvePromise(data.promise, type, data.union?.targetType, upstream, place);
  if ('literal' in data) return data.literal;
  if (data.union !== undefined) {
    const { targetType } = data.union;
    const value = resolveData({ ...data, union: undefined }, targetType, upstream, place);
    return value && unionLiteral(targetType, value, place);
  }
  if ('collection' in data && 'collectionType' in type) {
    const literals = data.collection.bindings.map((item, index) =>
      resolveData(item, type.collectionType, upstream, place.at(index)),
    );
    return literals.every((one) => one !== undefined) ? { collection: { literals } } : undefined;
  }
  if ('map' in data && 'mapValueType' in type) {
    const entries = Object.entries(data.map.bindings).flatMap(([key, entry]) => {
      const value = resolveData(entry, type.mapValueType, upstream, place.at(key));
      return value === undefined ? [] : [[key, value] as const];
    });
    return { map: { literals: Object.fromEntries(entries) } };
  }
  return place.report('MismatchingBindings', 'the binding was compiled for another type');
}

function resolvePromise(
  promise: OutputReference,
  type: LiteralType,
  variant: LiteralType | undefined,
  upstream: UpstreamValues,
  place: Place,
): Literal | undefined {
  const values = promise.nodeId === START_NODE_ID ? upstream.inputs : upstream.outputs.get(promise.nodeId);
  const literal = values && entryOf(values, promise.var);
  if (literal === undefined) {
    return (
      absentValue(type, place) ??
      place.report('ValueRequired', `the node ${promise.nodeId} has no output ${promise.var}`)
    );
  }
  const found = valueAtPath(literal, promise.attrPath ?? [], place);
  if (found === undefined) return undefined;
  const target = variant ?? type;
  const value =
    'json' in found ? literalFromPlain(target, found.json, place) : fitLiteral(target, found.literal, place);
  return value && variant !== undefined ? unionLiteral(variant, value, place) : value;
}
