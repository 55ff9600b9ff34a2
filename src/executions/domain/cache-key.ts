import { createHash } from 'node:crypto';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import { mapRecord } from '../../values/json.ts';
import type { TypedInterface, Variable } from '../../values/literal-types.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';

/** What decides about the outputs of a task. */
interface CachedCall {
  readonly task: EntityKey;
  readonly interface: TypedInterface;
  readonly cacheVersion: string;
  /** The inputs that do not count. */
  readonly ignoredInputs: readonly string[];
  readonly inputs: LiteralMap;
}

/**
 * What the outputs of a task are cached under: a digest of the name of the task, its interface, the cache version and
 * the inputs that count. The version of the task and the descriptions of variables do not count. A literal with a hash
 * counts as its hash. A file counts as its address, which is the same for the same content in a project.
 *
 * Source: Flyte v1.16, `flytepropeller/pkg/controller/nodes/task/catalog/datacatalog/transformer.go`.
 */
export function cacheKeyOf(call: CachedCall): string {
  const { task, cacheVersion, inputs } = call;
  const counting = Object.entries(inputs).filter(([name]) => !call.ignoredInputs.includes(name));
  const document = {
    task: [task.project, task.domain, task.name],
    interface: { inputs: typesOf(call.interface.inputs), outputs: typesOf(call.interface.outputs) },
    cacheVersion,
    inputs: mapRecord(Object.fromEntries(counting), valueThatCounts),
  };
  return createHash('sha256').update(canonicalJson(document)).digest('hex');
}

const typesOf = (variables: Readonly<Record<string, Variable>>) => mapRecord(variables, ({ type }) => type);

/** The value without notes. A literal with a hash is replaced by it, wherever it is. */
function valueThatCounts(literal: Literal): object {
  if (literal.hash !== undefined) return { hash: literal.hash };
  if ('collection' in literal) return { collection: literal.collection.literals.map(valueThatCounts) };
  if ('map' in literal) return { map: mapRecord(literal.map.literals, valueThatCounts) };
  const { scalar } = literal;
  if (!('union' in scalar)) return { scalar };
  return { union: { type: scalar.union.type, value: valueThatCounts(scalar.union.value) } };
}
