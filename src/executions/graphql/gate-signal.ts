import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { getClosure } from '../../registry/store.ts';
import { signalOf } from '../commands/settle-waiting.ts';
import { nodeAt } from '../engine/node-paths.ts';
import type { NodeExecutionRow } from '../store/reads.ts';
import type { SignalRow } from '../store/signals.ts';
import { NodeExecutionType } from './node-execution.ts';
import { SignalType } from './signal.ts';

builder.objectField(NodeExecutionType, 'signal', (t) =>
  t.field({
    type: SignalType,
    nullable: true,
    description:
      'The signal that a gate waits for. While the gate is RUNNING, `setSignal` ends it. Null for a gate that waits for some time, for other nodes, and if there is no such signal yet.',
    resolve: signalOfGate,
  }),
);

async function signalOfGate(
  { executionId, kind, nodeId }: NodeExecutionRow,
  _args: object,
  { loaders }: Context,
): Promise<SignalRow | null> {
  const execution = kind === 'GATE' ? await loaders.execution.load({ id: executionId }) : null;
  if (!execution) return null;
  const node = nodeAt(await getClosure(execution.workflowId), nodeId);
  const signalId = node?.kind === 'GATE' ? signalOf(node.gate) : null;
  return signalId === null ? null : await loaders.signal.load({ executionId, signalId });
}
