import { isRecord } from '../../values/json.ts';
import { onlyKey } from '../../values/one-of.ts';
import { literal } from '../../values/read-literals.ts';
import {
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
import type { Attribute, Binding, BindingData, OutputReference } from './workflow-templates.ts';

/** How deep bindings may be nested, the same as the types that they are bound to. */
const MAX_BINDING_DEPTH = 32;

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

export const binding = fields<Binding>({
  var: required(name),
  binding: required(bindingDataWithin(MAX_BINDING_DEPTH)),
});
