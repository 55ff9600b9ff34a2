import type { WorkError } from '../../platform/work-error.ts';
import type { RunnableNode } from '../../registry/domain/closure.ts';
import { resolveBindings, type UpstreamValues } from '../../registry/domain/resolve-bindings.ts';
import { durationNanoseconds } from '../../values/durations.ts';
import { fitLiteral } from '../../values/fit-literal.ts';
import { isErrorType } from '../../values/literal-types.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { type Outcome, Place, problemsText, type Work } from '../../values/problem-list.ts';
import { literalBytes, MAX_TURN_BYTES } from '../domain/limits.ts';
import { countItems } from '../engine/arrays.ts';
import { holds } from '../engine/conditions.ts';

/** What a node needs to begin, or why it cannot. */
export type Begun =
  | {
      readonly inputs: LiteralMap;
      readonly bytes: number;
      /** Only of a branch: the node that it runs. */
      readonly taken?: RunnableNode;
      /** Only of an array. */
      readonly itemCount?: number;
      /** Only of a node that sleeps. */
      readonly wakeAt?: Date;
    }
  | { readonly error: WorkError; readonly bytes: 0 };

/**
 * Finds the inputs of a node, the branch that a branch takes, and how many items an array has.
 *
 * @param given  the inputs of an item of an array; null for a node with bindings.
 * @param failure  for a failure node: the error that its inputs of the type ERROR get.
 * Errors: `BindingFailed`, `InputsTooLarge`, `UnsupportedTask`, and `UserProvidedError` for a branch without a case that
 * holds.
 */
export function beginNode(
  node: RunnableNode,
  upstream: UpstreamValues,
  now: Date,
  work: Work,
  { given = null, failure = null }: { given?: LiteralMap | null; failure?: Failure | null } = {},
): Begun {
  if (node.kind === 'TASK' && !node.task.template.container)
    return refused(
      'UnsupportedTask',
      `this platform cannot run tasks of the type ${node.task.template.type}`,
    );
  const inputs = given ? { ok: true as const, value: given } : inputsOf(node, upstream, failure, work);
  if (!inputs.ok) return refused('BindingFailed', problemsText(inputs));
  const bytes = literalBytes(inputs.value);
  if (bytes > MAX_TURN_BYTES)
    return refused('InputsTooLarge', `the inputs take more than ${MAX_TURN_BYTES} bytes as literals`);
  const begun = { inputs: inputs.value, bytes };
  if (node.kind === 'BRANCH') {
    const taken = takenBranch(node, inputs.value);
    return taken ? { ...begun, taken } : refused('UserProvidedError', errorOfBranch(node));
  }
  if (node.kind === 'ARRAY') {
    const count = countItems(node, inputs.value, work);
    return count.ok ? { ...begun, itemCount: count.value } : refused('BindingFailed', problemsText(count));
  }
  if (node.kind === 'GATE' && 'sleep' in node.gate) {
    const nanoseconds = durationNanoseconds(node.gate.sleep.duration) ?? 0n;
    return { ...begun, wakeAt: new Date(now.getTime() + Number(nanoseconds / 1_000_000n)) };
  }
  return begun;
}

/** The failure of a node, as its failure node gets it. */
export interface Failure {
  readonly failedNodeId: string;
  readonly message: string;
}

const refused = (code: string, message: string): Begun => ({
  error: { code, message, kind: 'USER' },
  bytes: 0,
});

function inputsOf(
  node: RunnableNode,
  upstream: UpstreamValues,
  failure: Failure | null,
  work: Work,
): Outcome<LiteralMap> {
  const bound = new Set(node.inputs.map((binding) => binding.var));
  const errors = failure ? errorInputs(node, bound, failure) : {};
  // A node of a launch plan need not bind all inputs: the launch plan has defaults for the others.
  const variables = Object.entries(node.inputTypes).filter(
    ([name]) => !Object.hasOwn(errors, name) && (node.kind !== 'LAUNCH_PLAN' || bound.has(name)),
  );
  const resolved = resolveBindings(node.inputs, Object.fromEntries(variables), upstream, work);
  return resolved.ok ? { ok: true, value: { ...resolved.value, ...errors } } : resolved;
}

function errorInputs(node: RunnableNode, bound: ReadonlySet<string>, failure: Failure): LiteralMap {
  const literal = { scalar: { error: failure } };
  const errors = Object.entries(node.inputTypes).flatMap(([name, { type }]) => {
    if (bound.has(name) || !isErrorType(type)) return [];
    const fitted = fitLiteral(type, literal, new Place([]));
    return fitted ? [[name, fitted] as const] : [];
  });
  return Object.fromEntries(errors);
}

function takenBranch(
  { branch: { ifElse }, nodes }: Extract<RunnableNode, { kind: 'BRANCH' }>,
  inputs: LiteralMap,
): RunnableNode | undefined {
  const blocks = [...(ifElse.case ? [ifElse.case] : []), ...ifElse.other];
  const block = blocks.find(({ condition }) => condition && holds(condition, inputs));
  return nodes.get((block?.thenNode ?? ifElse.elseNode)?.id ?? '');
}

const errorOfBranch = ({ id, branch }: Extract<RunnableNode, { kind: 'BRANCH' }>) =>
  branch.ifElse.error?.message || `no case of the branch ${id} holds`;
