import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { groupBy } from '../../platform/group-by.ts';
import type { SpanAttempt, SpanNode, SpanSource } from '../domain/spans.ts';

/** How many nodes of an execution are measured: those that became ready first. */
export const MAX_SPAN_NODES = 1000;
/** How many attempts of these nodes, and how many of their changes of phase. */
const MAX_SPAN_ATTEMPTS = 5000;
const MAX_SPAN_EVENTS = 20_000;

interface OfExecution {
  readonly executionId: string;
}

const nodesStatement = statement<SpanNode & OfExecution>(
  `select child.* from unnest($1::uuid[]) as asked(id)
    cross join lateral (
      select node.id, node.execution_id as "executionId", node.node_id as "nodeId", node.parent_id as "parentId",
             node.created_at as "createdAt", node.started_at as "startedAt", node.ended_at as "endedAt"
        from node_executions as node where node.execution_id = asked.id order by node.id limit $2
    ) as child`,
);

const attemptsStatement = statement<Omit<SpanAttempt, 'phases'> & OfExecution & { readonly nodeId: string }>(
  `select child.* from unnest($1::uuid[]) as asked(id)
    cross join lateral (
      select task.node_execution_id as "nodeExecutionId", task.execution_id as "executionId",
             node.node_id as "nodeId", task.retry_attempt as "retryAttempt", task.created_at as "createdAt",
             task.started_at as "startedAt", task.ended_at as "endedAt"
        from task_executions as task join node_executions as node on node.id = task.node_execution_id
       where task.execution_id = asked.id order by task.id limit $2
    ) as child`,
);

interface PhaseRow extends OfExecution {
  readonly nodeId: string;
  readonly retryAttempt: number;
  readonly phase: TaskExecutionPhase;
  readonly at: Date;
}

const phasesStatement = statement<PhaseRow>(
  `select child.* from unnest($1::uuid[]) as asked(id)
    cross join lateral (
      select event.execution_id as "executionId", event.node_id as "nodeId", event.attempt as "retryAttempt",
             event.phase, event.occurred_at as at
        from execution_events as event where event.execution_id = asked.id and event.kind = 'TASK'
       order by event.sequence limit $2
    ) as child`,
);

/**
 * The times of the nodes and attempts of each execution, in three statements. Of a very large execution, only the first
 * ones are read.
 */
export async function readSpanParts(
  executionIds: readonly string[],
): Promise<Omit<SpanSource, 'execution'>[]> {
  const [nodes, attempts, phases] = await Promise.all([
    run(nodesStatement, [executionIds, MAX_SPAN_NODES + 1]),
    run(attemptsStatement, [executionIds, MAX_SPAN_ATTEMPTS + 1]),
    run(phasesStatement, [executionIds, MAX_SPAN_EVENTS]),
  ]);
  const keyOf = ({
    executionId,
    nodeId,
    retryAttempt,
  }: Pick<PhaseRow, 'nodeId' | 'retryAttempt' | 'executionId'>) =>
    JSON.stringify([executionId, nodeId, retryAttempt]);
  const ofExecution = ({ executionId }: OfExecution) => executionId;
  const [nodesOf, attemptsOf] = [groupBy(nodes, ofExecution), groupBy(attempts, ofExecution)];
  const phasesOf = groupBy(phases, keyOf);
  return executionIds.map((id) => {
    const [allNodes, allAttempts] = [nodesOf.get(id) ?? [], attemptsOf.get(id) ?? []];
    return {
      nodes: allNodes.slice(0, MAX_SPAN_NODES),
      attempts: allAttempts
        .slice(0, MAX_SPAN_ATTEMPTS)
        .map((attempt) => ({ ...attempt, phases: phasesOf.get(keyOf(attempt)) ?? [] })),
      isCut: allNodes.length > MAX_SPAN_NODES || allAttempts.length > MAX_SPAN_ATTEMPTS,
    };
  });
}
