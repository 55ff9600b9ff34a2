/** Engines from outside that report about attempts, one report after the other or many at the same time. */
import { vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { GroupCommit } from '../../src/platform/database/group-commit.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import type { Answer, App } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';

export const at = '2026-01-01T00:00:00.000Z';

export class ReportsStage {
  readonly #app: App;
  readonly #project: string;

  private constructor(app: App, project: string) {
    this.#app = app;
    this.#project = project;
  }

  static async open(app: App, project: string): Promise<ReportsStage> {
    await registerProject(app, project);
    await registerTask(app, project, 'double');
    await registerWorkflow(app, project, 'flow', { a: [] });
    return new ReportsStage(app, project);
  }

  taskKey(name = 'double') {
    return keyOf(this.#project, name);
  }

  /** An execution of an engine from outside, with nodes that run. */
  async execution(...nodeIds: string[]): Promise<string> {
    const id = await launch(this.#app, this.#project, 'flow', { engine: 'EXTERNAL' });
    for (const nodeId of nodeIds) await this.node(id, nodeId);
    return id;
  }

  /** One that our own scheduler runs. */
  own(): Promise<string> {
    return launch(this.#app, this.#project, 'flow');
  }

  node(id: string, nodeId: string, more: object = {}, app: Pick<App, 'ask'> = this.#app): Promise<Answer> {
    const input = { execution: { id }, nodeId, phase: 'RUNNING', occurredAt: at, ...more };
    return mutate(app, 'createNodeEvent', input, 'nodeExecution { id }');
  }

  workflow(id: string, phase: string, more: object = {}): Promise<Answer> {
    return mutate(
      this.#app,
      'createWorkflowEvent',
      { execution: { id }, phase, occurredAt: at, ...more },
      'execution { id }',
    );
  }

  /** @returns the attempt without its id, or the refusal without the ids in its message. */
  async report(
    id: string,
    nodeId: string,
    event: object,
    app: Pick<App, 'ask'> = this.#app,
    authorization?: string,
  ): Promise<Answer> {
    const input = { execution: { id }, nodeId, task: this.taskKey(), occurredAt: at, ...event };
    const answer = await mutate(
      app,
      'createTaskEvent',
      input,
      `taskExecution { phase retryAttempt reason startedAt endedAt duration createdAt updatedAt
         taskKey { name } task { name } error { code message kind } data { inputs outputs }
         logs { uri } reasons { message } }`,
      authorization,
    );
    return answer.taskExecution ?? { ...answer, message: answer.message?.replaceAll(id, 'ID') };
  }
}

/** Everything that a report may have changed in the rows of an execution, without ids. */
export async function rowsOf(executionId: string) {
  const rows = async (sql: string) => (await pool.query(sql, [executionId])).rows as Answer[];
  return {
    execution: await rows('select phase, last_sequence::int as last from executions where id = $1'),
    nodes: await rows(
      `select node.node_id, node.phase, node.inputs, node.latest_attempt, node.latest_task_phase, latest.retry_attempt,
              latest.task_name
         from node_executions as node
         left join task_executions as latest on latest.id = node.latest_task_execution_id
        where node.execution_id = $1 order by node.node_id`,
    ),
    attempts: await rows(
      `select node.node_id, to_jsonb(task) - '{id,execution_id,node_execution_id}'::text[] as task
         from task_executions as task join node_executions as node on node.id = task.node_execution_id
        where task.execution_id = $1 order by node.node_id, task.retry_attempt, task.task_name`,
    ),
    events: await rows(
      `select sequence::int, kind, phase, node_id, attempt, error, reason, occurred_at
         from execution_events where execution_id = $1 order by sequence`,
    ),
  };
}

/**
 * Nothing is applied before all of these reports have arrived: the group before them, a report about another execution,
 * waits for a lock.
 */
export async function atOnce<T>(stage: ReportsStage, reports: () => readonly Promise<T>[]): Promise<T[]> {
  const gate = await stage.execution('gate');
  await stage.report(gate, 'gate', { phase: 'QUEUED' });
  const submissions = vi.spyOn(GroupCommit.prototype, 'submit');
  const arrived = (count: number) =>
    eventually(
      () => submissions.mock.calls.length,
      (calls) => calls === count,
    );
  const waiting = inTransaction(async (tx) => {
    await tx.$queryRawUnsafe('select id from executions where id = $1::uuid for update', gate);
    const first = stage.report(gate, 'gate', { phase: 'RUNNING' });
    await arrived(1);
    const answers = reports();
    await arrived(1 + answers.length);
    return { first, answers: Promise.all(answers) };
  });
  const { first, answers } = await waiting.finally(() => submissions.mockRestore());
  await first;
  return await answers;
}
