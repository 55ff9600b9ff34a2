import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Refusal, SlipwayClient } from '../../examples/penguins/client.ts';
import { nodeEvents } from '../../examples/penguins/follow.ts';
import { launchPenguins, registerPenguins } from '../../examples/penguins/workflow.ts';
import { startApp } from '../support/app.ts';

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that answers the n-th request as the n-th answerer says. @returns the client, and what it sent. */
async function stub(...answerers: ((response: ServerResponse) => void)[]) {
  const sent: { variables: { after: string | null } }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    sent.push(JSON.parse(body));
    answerers[sent.length - 1]?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { client: new SlipwayClient(`http://127.0.0.1:${port}`, 'Bearer x'), sent };
}

const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const next = (id: string) => `event: next\ndata: ${JSON.stringify({ data: { event: { id } } })}\n\n`;
const complete = 'event: complete\ndata:\n\n';

async function idsOf(events: AsyncIterable<{ id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of events) ids.push(id);
  return ids;
}

const watched = (client: SlipwayClient, hasEnded = async () => true) =>
  client.watch<{ id: string }>('subscription …', {}, hasEnded);

describe('watch', () => {
  it('continues after the last event when the connection is lost', async () => {
    let lose = () => {};
    const { client, sent } = await stub(
      (response) => {
        stream(response).write(next('a') + next('b'));
        lose = () => response.destroy();
      },
      (response) => response.writeHead(503, { 'content-type': 'text/html' }).end('away'),
      (response) => stream(response).end(`:\n\n${next('c')}${complete}`),
    );
    const ids: string[] = [];
    for await (const { id } of watched(client)) {
      ids.push(id);
      if (id === 'b') lose();
    }
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(sent.map(({ variables }) => variables.after)).toEqual([null, 'b', 'b']);
  });

  it('continues when the server completes the stream too early', async () => {
    const { client, sent } = await stub(
      (response) => stream(response).end(next('a') + complete),
      (response) => stream(response).end(next('b') + complete),
    );
    expect(await idsOf(watched(client, async () => sent.length === 2))).toEqual(['a', 'b']);
    expect(sent.map(({ variables }) => variables.after)).toEqual([null, 'a']);
  });

  it('reads events that arrive in pieces', async () => {
    const text = next('é') + complete;
    const bytes = Buffer.from(text);
    const cut = bytes.indexOf(0xc3) + 1;
    const pieces = new ReadableStream({
      start(controller) {
        for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) controller.enqueue(piece);
        controller.close();
      },
    });
    vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(
      new Response(pieces, { headers: { 'content-type': 'text/event-stream' } }),
    );
    expect(await idsOf(watched(new SlipwayClient('http://nowhere', 'Bearer x')))).toEqual(['é']);
  });

  it('does not try again when it is refused', async () => {
    const errors = [{ message: 'not found', extensions: { code: 'NOT_FOUND' } }];
    const { client, sent } = await stub((response) =>
      stream(response).end(`event: next\ndata: ${JSON.stringify({ errors })}\n\n${complete}`),
    );
    await expect(idsOf(watched(client))).rejects.toThrow(
      new Refusal({ code: 'NOT_FOUND', message: 'not found' }),
    );
    expect(sent).toHaveLength(1);
  });
});

describe("the penguins' client and a server", () => {
  it('register twice, launch, watch the first node start, and report what is wrong', async () => {
    const app = await startApp();
    closing.push(() => app.stop());
    const { username, password } = app.secrets.administrator;
    const client = await SlipwayClient.signIn(app.url, username, password);
    await registerPenguins(client);
    await registerPenguins(client);
    const execution = await launchPenguins(client, { seed: 8 });

    for await (const event of nodeEvents(client, execution.id)) {
      expect(event).toMatchObject({ nodeId: 'clean', phase: 'QUEUED' });
      break;
    }
    const { data } = await app.ask('query ($id: ID!) { execution(by: { id: $id }) { data { inputs } } }', {
      id: execution.id,
    });
    expect(data.execution.data.inputs).toMatchObject({ seed: 8, testShare: 0.3, shuffleLabels: false });

    await expect(launchPenguins(client, { testShare: 'a lot' as never })).rejects.toThrow(
      /InvalidValue|INVALID_ARGUMENT/,
    );
  });
});
