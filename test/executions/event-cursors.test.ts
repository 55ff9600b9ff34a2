import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { launch, registerProject, registerTask, registerWorkflow, untilEnded } from '../support/seed.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, 'p');
  await registerTask(app, 'p', 'double');
  await registerWorkflow(app, 'p', 'one', { a: [] });
});
afterAll(() => app.stop());

async function ended(): Promise<string> {
  const id = await launch(app, 'p', 'one');
  await app.ask(
    'mutation ($id: ID!) { terminateExecution(input: {by: {id: $id}, cause: "stop"}) { __typename } }',
    { id },
  );
  await untilEnded(app, id);
  return id;
}

/** The whole answer of a subscription to an execution that has ended. */
async function watch(field: string, id: string, after?: string): Promise<string> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: app.admin },
    body: JSON.stringify({
      query: `subscription ($id: ID!, $after: ID) { ${field}(by: {id: $id}, after: $after) { id } }`,
      variables: { id, after },
    }),
  });
  return await response.text();
}

async function eventIds(field: string, id: string, after?: string): Promise<string[]> {
  const text = await watch(field, id, after);
  expect(text).not.toContain('errors');
  return [...text.matchAll(/"id":"([^"]+)"/g)].map((match) => match[1] ?? '');
}

describe('the id of an event', () => {
  it('continues after that event, in both streams of its execution', async () => {
    const id = await ended();
    const events = await eventIds('executionEvents', id);
    expect(events.length).toBeGreaterThan(1);
    expect(await eventIds('executionEvents', id, events[0])).toEqual(events.slice(1));
    expect(await eventIds('executionEvents', id, events.at(-1))).toEqual([]);
    expect(await eventIds('nodeExecutionEvents', id, events.at(-1))).toEqual([]);
  });

  it('is refused for another execution, with the name of the argument', async () => {
    const [event] = await eventIds('executionEvents', await ended());
    const answer = await watch('executionEvents', await ended(), event);
    expect(answer).toContain('INVALID_ARGUMENT');
    expect(answer).toContain('"path":["after"]');
  });

  it('is refused when it lies beyond the last event or is not an id', async () => {
    const id = await ended();
    const beyond = Buffer.from(`${id.slice(-12)}.999`).toString('base64url');
    for (const after of [beyond, 'ZTE', 'x', '']) {
      const answer = await watch('nodeExecutionEvents', id, after);
      expect(answer).toContain('INVALID_ARGUMENT');
      expect(answer).toContain('"path":["after"]');
    }
  });
});
