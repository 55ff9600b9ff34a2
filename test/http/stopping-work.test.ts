import { expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { startApp } from '../support/app.ts';
import { eventually } from '../support/waiting.ts';

it('a server that stops waits for work whose client has gone, because it still needs the database', async () => {
  const field = schema.getQueryType()?.getFields()['version'];
  if (!field?.resolve) throw new Error('no such field');
  const { resolve } = field;
  let goOn = () => {};
  let isHeld = false;
  field.resolve = async (...args) => {
    await new Promise<void>((go) => {
      goOn = go;
      isHeld = true;
    });
    return await resolve(...args);
  };
  const app = await startApp({ scheduler: false });
  const steps: string[] = [];
  try {
    const client = new AbortController();
    const asked = fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: app.admin },
      body: JSON.stringify({ query: '{ version { version } }' }),
      signal: client.signal,
    }).catch(() => {});
    await eventually(
      () => isHeld,
      (held) => held,
    );
    client.abort();
    await asked;
    const stopped = app.stop().then(() => steps.push('stopped'));
    // The server has closed all its connections.
    await eventually(
      () => fetch(`${app.url}/health/alive`).catch(() => null),
      (answer) => answer === null,
    );
    for (let turn = 0; turn < 50; turn += 1) await new Promise((next) => setImmediate(next));
    steps.push('work ends');
    goOn();
    await stopped;
    expect(steps).toEqual(['work ends', 'stopped']);
  } finally {
    field.resolve = resolve;
  }
});
