import type { LiteralType, Variable } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import { commonType, typeOfLiteral, typeOfPlain } from '../../values/type-of-literal.ts';
import { followPromise, type Outputs } from './compile-bindings.ts';
import type { Binding, BindingData } from './workflow-templates.ts';

/**
 * The variables of a node that declares no types itself, such as a branch, with the types of what is bound to them. A
 * binding with a problem gives no variable.
 *
 * Problems: the problems of `followPromise`, and `InvalidLiteralType` for a value without a type of its own, such as a
 * plain object.
 */
export function inferVariables(
  bindings: readonly Binding[],
  outputs: Outputs,
  place: Place,
): Record<string, Variable> {
  const variables = bindings.flatMap(({ var: name, binding }) => {
    const type = typeOfBinding(binding, outputs, place.at(name));
    return type === undefined ? [] : [[name, { type }] as const];
  });
  return Object.fromEntries(variables);
}

function typeOfBinding(data: BindingData, outputs: Outputs, place: Place): LiteralType | undefined {
  if ('promise' in data) {
    const promised = followPromise(data.promise, outputs, place);
    return promised?.type === 'UNKNOWN'
      ? place.report('InvalidLiteralType', 'the type of this part of the value is not declared')
      : promised?.type;
  }
  if ('literal' in data) return typeOfLiteral(data.literal);
  if ('value' in data) {
    const type = typeOfPlain(data.value);
    return type ?? place.report('InvalidLiteralType', 'a list or an object needs the form of a literal here');
  }
  const inner = 'collection' in data ? data.collection.bindings : Object.values(data.map.bindings);
  const types = inner.map((one) => typeOfBinding(one, outputs, place));
  if (!types.every((type) => type !== undefined)) return undefined;
  const type = commonType(types);
  return 'collection' in data ? { collectionType: type } : { mapValueType: type };
}
