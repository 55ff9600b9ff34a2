/** urql against the running server: its document cache, result unions, and subscriptions over Server-Sent Events. */
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createExecutionMutation,
  executionEventsSubscription,
  executionQuery,
  terminateExecutionMutation,
} from './documents.ts';
import { filter, launchInput, type Stage, startStage } from './stage.ts';

let stage: Stage;
let client: Client;
/** Requests of queries and mutations so far. */
let requests = 0;

beforeAll(async () => {
  stage = await startStage();
  const headers = { authorization: stage.app.admin };
  // Trying again by itself would begin from the start; going on is the watcher's part.
  const events = createClient({ url: stage.endpoint, headers, retryAttempts: 0 });
  client = new Client({
    url: stage.endpoint,
    preferGetMethod: false,
    fetchOptions: { headers },
    fetch: (...request) => {
      requests += 1;
      return fetch(...request);
    },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: events.subscribe(
              { query: query ?? '', variables: variables as Record<string, unknown> },
              sink as never,
            ),
          }),
        }),
      }),
    ],
  });
});
afterAll(() => stage.stop());

async function launch(name: string): Promise<string> {
  const { data, error } = await client.mutation(createExecutionMutation, { input: launchInput(name) });
  if (data?.createExecution?.__typename !== 'CreateExecutionPayload')
    throw error ?? new Error(JSON.stringify(data));
  return data.createExecution.execution.id;
}

describe('urql', () => {
  it('asks once, and again after a mutation that answers the same type', async () => {
    const id = await launch('once');
    const key = { ...filter, name: 'once' };
    const read = async () => (await client.query(executionQuery, { key })).data?.execution;
    expect((await read())?.id).toBe(id);
    const before = requests;
    expect((await read())?.launchPlan?.name).toBe('flow');
    expect(requests).toBe(before);
    await client.mutation(terminateExecutionMutation, { input: { by: { id }, cause: 'seen enough' } });
    expect((await read())?.phase).toMatch(/^ABORT/);
  });

  it('reads the error members of a result union', async () => {
    await launch('twice');
    const { data, error } = await client.mutation(createExecutionMutation, { input: launchInput('twice') });
    expect(error).toBeUndefined();
    expect(data?.createExecution).toMatchObject({ __typename: 'AlreadyExistsError', code: 'ALREADY_EXISTS' });
  });

  it('reads the code of a refusal', async () => {
    const { error } = await client.query(executionQuery, { key: { ...filter, name: 'absent' } });
    expect(error?.graphQLErrors[0]?.extensions['code']).toBe('NOT_FOUND');
  });

  it('subscribes over Server-Sent Events, and continues after a lost connection without gap or repeat', async () => {
    const id = await launch('watched');
    const seen: { id: string; phase: string }[] = [];
    let isCut = false;
    /** @returns the error that broke it, or undefined when it completed. */
    const watch = (after?: string) =>
      new Promise<unknown>((resolve) => {
        const { unsubscribe } = client
          .subscription(executionEventsSubscription, { id, after })
          .subscribe(({ data, error }) => {
            if (error) {
              unsubscribe();
              return resolve(error);
            }
            if (!data) return;
            const { phase } = data.executionEvents;
            seen.push({ id: data.executionEvents.id, phase });
            if (phase === 'ABORTED') resolve(undefined);
            if (phase === 'RUNNING' && !isCut) {
              isCut = true;
              stage.wire.cut();
              terminate();
            }
          });
      });
    const terminate = () =>
      stage.app.ask(
        'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "x" }) { __typename } }',
        { id },
      );
    expect(await watch()).toBeTruthy();
    expect(await watch(seen.at(-1)?.id)).toBeUndefined();
    const phases = ['QUEUED', 'RUNNING', 'ABORTING', 'ABORTED'];
    expect(seen.map(({ phase }) => phase)).toEqual(phases);
    expect(new Set(seen.map((event) => event.id)).size).toBe(phases.length);
  });
});
