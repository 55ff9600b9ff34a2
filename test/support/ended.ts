/** Executions that have ended, for tests of what happens afterwards. */
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import type { App } from './app.ts';
import { Hands } from './hands.ts';
import { mutate } from './mutate.ts';
import { launch, untilEnded } from './seed.ts';

/** Ends an execution without its work, at this time. */
export async function endExecution(
  id: string,
  { phase = 'FAILED', at = new Date() }: { readonly phase?: ExecutionPhase; readonly at?: Date } = {},
): Promise<void> {
  await db.execution.update({ where: { id }, data: { phase, endedAt: at, advanceAt: null } });
}

/** Runs a workflow with the one node `a` to its end, by an executor and a scheduler that then stop. @returns its id. */
export async function runToEnd(app: App, project: string, plan: string, more: object = {}): Promise<string> {
  const id = await launch(app, project, plan, more);
  const scheduler = startScheduler();
  try {
    const hands = new Hands(app, `hands-${id.slice(-12)}`);
    const run = await hands.leaseNode('a');
    if (run.environment['SLIPWAY_EXECUTION_ID'] !== id) throw new Error('another execution is open');
    await hands.start(run);
    await mutate(
      app,
      'reportRunLog',
      { run: run.id, chunks: [{ sequence: 0, stream: 'STDOUT', text: 'said', printedAt: new Date() }] },
      '__typename',
      (app as App & { executor: string }).executor,
    );
    await hands.succeed(run, { y: 2 });
    await untilEnded(app, id);
    // This executor gets no more jobs.
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  } finally {
    await scheduler.stop();
  }
  return id;
}

/** Copies an execution with its events, labels and tags. Each copy is a second younger than the one before. */
export async function copies(id: string, count: number): Promise<void> {
  await db.$executeRaw`
    with made as (
      insert into executions
      select copy.* from executions as source, generate_series(1, ${count}::int) as number,
             jsonb_populate_record(source, jsonb_build_object(
               'id', gen_random_uuid(), 'name', source.name || number,
               'created_at', source.created_at + number * interval '1 second')) as copy
       where source.id = ${id}::uuid
      returning id
    ),
    labels as (
      insert into execution_labels select made.id, label.tenant_id, label.key, label.value
        from made, execution_labels as label where label.execution_id = ${id}::uuid
    ),
    tags as (
      insert into execution_tags select made.id, tag.tenant_id, tag.tag
        from made, execution_tags as tag where tag.execution_id = ${id}::uuid
    )
    insert into execution_events (execution_id, sequence, tenant_id, kind, phase, occurred_at)
    select made.id, event.sequence, event.tenant_id, event.kind, event.phase, event.occurred_at
      from made, execution_events as event where event.execution_id = ${id}::uuid`;
}
