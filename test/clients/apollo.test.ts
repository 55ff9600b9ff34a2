/** Apollo Client against the running server: its normalised cache, result unions, and subscriptions over WebSocket. */
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import {
  createExecutionMutation,
  executionEventsSubscription,
  executionQuery,
  executionsQuery,
  terminateExecutionMutation,
} from './documents.ts';
import { filter, launchInput, possibleTypes, type Stage, startStage } from './stage.ts';

let stage: Stage;
let client: ApolloClient;
let socket: Client;
/** Requests over HTTP so far. */
let requests = 0;

beforeAll(async () => {
  stage = await startStage();
  const authorization = stage.app.admin;
  socket = createClient({
    url: stage.endpoint.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    // Trying again by itself would begin from the start; going on is the watcher's part.
    retryAttempts: 0,
  });
  const http = new HttpLink({
    uri: stage.endpoint,
    headers: { authorization },
    fetch: (...request) => {
      requests += 1;
      return fetch(...request);
    },
  });
  const isSubscription = ({ operationType }: ApolloLink.Operation) =>
    operationType === OperationTypeNode.SUBSCRIPTION;
  client = new ApolloClient({
    link: ApolloLink.split(isSubscription, new GraphQLWsLink(socket), http),
    cache: new InMemoryCache({ possibleTypes: possibleTypes() }),
  });
});
afterAll(async () => {
  client.stop();
  await socket.dispose();
  await stage.stop();
});

async function launch(name: string): Promise<string> {
  const { data } = await client.mutate({
    mutation: createExecutionMutation,
    variables: { input: launchInput(name) },
  });
  if (data?.createExecution?.__typename !== 'CreateExecutionPayload') throw new Error(JSON.stringify(data));
  return data.createExecution.execution.id;
}

describe('Apollo Client', () => {
  it('caches an execution once, whichever query returned it', async () => {
    const id = await launch('once');
    const { data: list } = await client.query({ query: executionsQuery, variables: { filter } });
    expect(list?.executions.edges.map(({ node }) => node.id)).toContain(id);
    const query = { query: executionQuery, variables: { key: { ...filter, name: 'once' } } };
    const { data: single } = await client.query(query);
    expect(single?.execution?.launchPlan?.name).toBe('flow');

    const { data: ended } = await client.mutate({
      mutation: terminateExecutionMutation,
      variables: { input: { by: { id }, cause: 'seen enough' } },
    });
    expect(ended?.terminateExecution).toMatchObject({ execution: { id, phase: 'ABORTING' } });
    const before = requests;
    // Both queries see what the mutation answered, without asking again.
    expect((await client.query(query)).data?.execution?.phase).toBe('ABORTING');
    const again = await client.query({ query: executionsQuery, variables: { filter } });
    expect(again.data?.executions.edges.find(({ node }) => node.id === id)?.node.phase).toBe('ABORTING');
    expect(requests).toBe(before);
    expect(Object.keys(client.cache.extract() as object)).toContain(`Execution:${id}`);
  });

  it('reads the error members of a result union', async () => {
    await launch('twice');
    const repeat = await client.mutate({
      mutation: createExecutionMutation,
      variables: { input: launchInput('twice') },
    });
    expect(repeat.error).toBeUndefined();
    expect(repeat.data?.createExecution).toMatchObject({
      __typename: 'AlreadyExistsError',
      code: 'ALREADY_EXISTS',
    });
    const wrong = await client.mutate({
      mutation: createExecutionMutation,
      variables: { input: { ...launchInput('wrong'), inputs: { x: 'text' } } },
    });
    expect(wrong.data?.createExecution).toMatchObject({
      __typename: 'InvalidArgumentError',
      code: 'INVALID_ARGUMENT',
    });
  });

  it('subscribes over WebSocket, and continues after a lost connection without gap or repeat', async () => {
    const id = await launch('watched');
    const seen: { id: string; phase: string }[] = [];
    let cuts = 0;
    /** Resolves when the subscription completes, rejects when it breaks. */
    const watch = (after: string | undefined) =>
      new Promise<void>((resolve, reject) => {
        client.subscribe({ query: executionEventsSubscription, variables: { id, after } }).subscribe({
          next({ data, error }) {
            if (error) return reject(error);
            if (!data) return;
            seen.push({ id: data.executionEvents.id, phase: data.executionEvents.phase });
            if (data.executionEvents.phase === 'RUNNING' && cuts === 0) {
              cuts += 1;
              stage.wire.cut();
              terminate();
            }
          },
          error: reject,
          complete: resolve,
        });
      });
    const terminate = () =>
      stage.app.ask(
        'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "x" }) { __typename } }',
        { id },
      );
    await expect(watch(undefined)).rejects.toBeTruthy();
    await watch(seen.at(-1)?.id);
    const phases = ['QUEUED', 'RUNNING', 'ABORTING', 'ABORTED'];
    expect(seen.map(({ phase }) => phase)).toEqual(phases);
    expect(new Set(seen.map((event) => event.id)).size).toBe(phases.length);
    // The events carried the execution, and the cache took it from there.
    const { data } = await client.query({
      query: executionQuery,
      variables: { key: { ...filter, name: 'watched' } },
    });
    expect(data?.execution?.phase).toBe('ABORTED');
  });
});
