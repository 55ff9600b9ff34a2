/** Ways to watch a subscription: as Server-Sent Events, and over a WebSocket. */
import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Answer, App } from './app.ts';

export const eventsDocument = `subscription ($id: ID!, $after: ID) {
  executionEvents(by: { id: $id }, after: $after) { id phase }
}`;

/** Results of a subscription over Server-Sent Events as they come; leaving the loop closes the connection. */
export async function* overSse(
  app: Pick<App, 'url' | 'admin'>,
  query: string,
  variables: object = {},
  authorization: string | null = app.admin,
): AsyncGenerator<Answer> {
  const closing = new AbortController();
  try {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(authorization ? { authorization } : {}),
      },
      body: JSON.stringify({ query, variables }),
      signal: closing.signal,
    });
    let text = '';
    for await (const piece of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const blocks = (text + piece).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: ?(.+)$/m.exec(block)?.[1];
        if (data) yield JSON.parse(data);
      }
    }
  } finally {
    closing.abort();
  }
}

/** A client of graphql-ws that does not try again by itself. */
export function socketClient(
  app: Pick<App, 'url' | 'admin'>,
  authorization: string | null = app.admin,
): Client {
  return createClient({
    url: `${app.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    // So that giving up a subscription is no more than that.
    lazyCloseTimeout: 60_000,
    connectionParams: authorization ? { authorization } : {},
  });
}

/** The first result, or the errors, of one operation on a connection of its own. */
export async function overWebSocket(
  app: Pick<App, 'url' | 'admin'>,
  query: string,
  variables: Record<string, unknown> = {},
  authorization: string | null = app.admin,
): Promise<Answer> {
  const client = socketClient(app, authorization);
  try {
    return await firstResult(client, query, variables);
  } finally {
    await client.dispose();
  }
}

/** `{ data }` or `{ errors }`, whichever way they are told. */
export function firstResult(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    client.subscribe(
      { query, variables },
      {
        next: resolve,
        error: (error) => (Array.isArray(error) ? resolve({ errors: error }) : reject(error)),
        complete: () => resolve({}),
      },
    );
  });
}
