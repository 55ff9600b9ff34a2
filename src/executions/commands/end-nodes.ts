import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { type WorkError, workErrorOf } from '../../platform/work-error.ts';
import type { Closure, RunnableGraph, RunnableNode } from '../../registry/domain/closure.ts';
import { promisedNodesOf } from '../../registry/domain/compile-bindings.ts';
import { resolveBindings } from '../../registry/domain/resolve-bindings.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { type Outcome, problemsText } from '../../values/problem-list.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import { outputsOfItems } from '../engine/arrays.ts';
import { graphOf, innerNodeId, nodeAt, outerNodeId } from '../engine/node-paths.ts';
import type { NodeEnd } from '../engine/progress.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveNodes, type NodeMove } from '../store/moves.ts';
import { type NodeRow, readFailedItem, readItemOutputs, readNodeLiterals } from '../store/nodes.ts';

/**
 * Moves nodes that contain others to the phase that follows from those: SUCCEEDED with the outputs that the inner nodes
 * gave, FAILED with the error of the inner node that failed first. If the outputs cannot be collected, the node is
 * FAILED (`OutputsUnresolved`).
 *
 * The caller must have locked the execution.
 *
 * @param ends  inner nodes first.
 * @param rows  all nodes that decide about the next steps; those that ended first come first.
 * @returns the rows as they are now.
 */
export async function endNodes(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  ends: readonly NodeEnd[],
  rows: readonly NodeRow[],
  now: Date,
): Promise<readonly NodeRow[]> {
  if (ends.length === 0) return rows;
  const ending = new Ending(tx, execution, closure, rows);
  const moves: NodeMove[] = [];
  for (const { nodeId, to } of ends) {
    const row = ending.row(nodeId);
    const node = nodeAt(closure, nodeId);
    if (!row || !node) throw new Error(`the execution has no node ${nodeId}`);
    const { phase, error, outputs } = await ending.resultOf(row, node, to);
    moves.push({
      id: row.id,
      nodeId,
      to: phase,
      from: phasesThatMayMoveTo(nodeExecutionPhases, phase),
      at: now,
      error,
      outputs,
    });
    ending.note(row, phase, error, outputs);
  }
  await moveNodes(tx, execution.id, moves);
  return ending.rows;
}

interface Result {
  readonly phase: NodeEnd['to'];
  readonly error: WorkError | null;
  readonly outputs: LiteralMap | null;
}

/** The ends of one turn. A node that ends may need the outputs of one that ended just before and is not stored yet. */
class Ending {
  readonly #tx: Tx;
  readonly #execution: LockedExecution;
  readonly #closure: Closure;
  readonly #outputs = new Map<string, LiteralMap>();
  readonly #rows: Map<string, NodeRow>;

  constructor(tx: Tx, execution: LockedExecution, closure: Closure, rows: readonly NodeRow[]) {
    this.#tx = tx;
    this.#execution = execution;
    this.#closure = closure;
    this.#rows = new Map(rows.map((row) => [row.nodeId, row]));
  }

  get rows(): readonly NodeRow[] {
    return [...this.#rows.values()];
  }

  row(nodeId: string): NodeRow | undefined {
    return this.#rows.get(nodeId);
  }

  note(row: NodeRow, phase: NodeEnd['to'], error: WorkError | null, outputs: LiteralMap | null): void {
    const { code: errorCode = null, message: errorMessage = null, kind: errorKind = null } = error ?? {};
    // It has ended after those before it.
    this.#rows.delete(row.nodeId);
    this.#rows.set(row.nodeId, { ...row, phase, errorCode, errorMessage, errorKind });
    if (outputs) this.#outputs.set(row.nodeId, outputs);
  }

  async resultOf(row: NodeRow, node: RunnableNode, to: NodeEnd['to']): Promise<Result> {
    if (to === 'FAILED') return { phase: to, error: await this.#errorInside(row), outputs: null };
    if (to !== 'SUCCEEDED') return { phase: to, error: null, outputs: null };
    const outputs = await this.#outputsOf(row, node);
    if (outputs.ok) return { phase: to, error: null, outputs: outputs.value };
    const error = { code: 'OutputsUnresolved', message: problemsText(outputs), kind: 'USER' } as const;
    return { phase: 'FAILED', error, outputs: null };
  }

  async #outputsOf(row: NodeRow, node: RunnableNode): Promise<Outcome<LiteralMap>> {
    if (node.kind === 'ARRAY') return outputsOfItems(node, row.itemCount ?? 0, await this.#itemOutputs(row));
    if (node.kind === 'BRANCH') return await this.#outputsOfBranch(row, node);
    const graph = graphOf(this.#closure, node);
    return graph ? await this.#outputsOfGraph(row, graph) : { ok: true, value: {} };
  }

  async #outputsOfGraph(
    { nodeId }: NodeRow,
    { workflow: { template } }: RunnableGraph,
  ): Promise<Outcome<LiteralMap>> {
    const inner = promisedNodesOf(template.outputs);
    const known = await this.#read(inner.map((id) => innerNodeId(nodeId, id)));
    const inputs = await readNodeLiterals(this.#tx, this.#execution.id, 'inputs', [nodeId]);
    return resolveBindings(template.outputs, template.interface.outputs, {
      inputs: inputs.get(nodeId) ?? {},
      outputs: new Map(inner.map((id) => [id, known.get(innerNodeId(nodeId, id)) ?? {}])),
    });
  }

  async #outputsOfBranch({ nodeId }: NodeRow, { outputs }: RunnableNode): Promise<Outcome<LiteralMap>> {
    const taken = this.#inside(nodeId).find((inner) => inner.phase !== 'SKIPPED');
    const literals = taken && (await this.#read([taken.nodeId])).get(taken.nodeId);
    const shared = Object.entries(literals ?? {}).filter(([name]) => Object.hasOwn(outputs, name));
    return { ok: true, value: Object.fromEntries(shared) };
  }

  async #itemOutputs({ id, nodeId }: NodeRow): Promise<ReadonlyMap<number, LiteralMap>> {
    const stored = new Map(await readItemOutputs(this.#tx, id));
    for (const inner of this.#inside(nodeId)) {
      const ended = this.#outputs.get(inner.nodeId);
      if (ended && inner.itemIndex !== null) stored.set(inner.itemIndex, ended);
    }
    return stored;
  }

  async #read(nodeIds: readonly string[]): Promise<ReadonlyMap<string, LiteralMap>> {
    const stored = await readNodeLiterals(this.#tx, this.#execution.id, 'outputs', nodeIds);
    return new Map([...stored, ...this.#outputs]);
  }

  #inside(nodeId: string): NodeRow[] {
    return this.rows.filter((inner) => outerNodeId(inner.nodeId) === nodeId);
  }

  /** Of an array, most items are not among the rows. */
  async #errorInside(row: NodeRow): Promise<WorkError> {
    const inside = this.#inside(row.nodeId);
    const failed = row.kind === 'ARRAY' ? await readFailedItem(this.#tx, row.id) : null;
    return errorAmong(failed ? [failed, ...inside] : inside) ?? unknownError;
  }
}

const unknownError: WorkError = { code: 'Unknown', message: 'a node inside of it failed', kind: 'UNKNOWN' };

/** The node that failed first. @param rows  those that ended first come first. */
export function firstFailed(rows: readonly NodeRow[]): NodeRow | undefined {
  return (
    rows.find((row) => row.phase === 'FAILED' || row.phase === 'TIMED_OUT') ??
    rows.find((row) => row.phase === 'ABORTED')
  );
}

function errorAmong(rows: readonly NodeRow[]): WorkError | null {
  const culprit = firstFailed(rows);
  if (!culprit) return null;
  return workErrorOf(culprit) ?? notSucceeded(culprit);
}

/** The error of a node that ended without one. */
export function notSucceeded({ nodeId, phase, abortCause }: NodeRow): WorkError {
  if (phase === 'ABORTED' && abortCause !== null)
    return { code: 'NodeTerminated', message: `node ${nodeId} was terminated: ${abortCause}`, kind: 'USER' };
  return { code: 'Unknown', message: `node ${nodeId} is ${phase}`, kind: 'UNKNOWN' };
}
