import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { overWebSocket } from '../support/watch.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const document = `mutation ($value: JSON!) {
  updatePreferences(input: { preferences: $value }) {
    ... on UpdatePreferencesPayload { preferences }
    ... on Error { code message }
  }
}`;

/** Sends a body as it stands: JSON.stringify would round the number before the server could. */
async function post(number: string) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: app.admin },
    body: `{"query": ${JSON.stringify(document)}, "variables": {"value": {"text": "9007199254740993", "n": ${number}}}}`,
  });
  return { status: response.status, body: await response.json() };
}

const message = (number: string) => `the number ${number} would lose digits; send it as text`;

describe('an integer beyond 2^53 inside JSON', () => {
  it('is refused where it would lose digits', async () => {
    const { status, body } = await post('9007199254740993');
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([
      { message: message('9007199254740993'), extensions: { code: 'INVALID_ARGUMENT' } },
    ]);
    expect((await post('1e999')).body.errors[0].message).toBe(message('1e999'));
    expect((await app.ask('{ viewer { preferences } }')).data.viewer.preferences).toEqual({});
  });

  it.each([
    ['9007199254740994', 9007199254740994],
    ['1e30', 1e30],
  ])('is accepted where it keeps them: %s', async (number, n) => {
    const { body } = await post(number);
    expect(body.data.updatePreferences.preferences).toEqual({ text: '9007199254740993', n });
  });

  it('is refused in the document itself, and is not turned into text', async () => {
    const inline = (number: string) =>
      app.ask(`mutation { updatePreferences(input: { preferences: { n: ${number} } }) { __typename } }`);
    const { errors } = await inline('9007199254740993');
    expect(errors?.[0]?.message).toContain('numbers keep their digits');
    expect((await inline('9007199254740994')).errors).toBeUndefined();
  });

  it('is refused over a WebSocket, where the original digits are not known', async () => {
    const ask = (n: number) => overWebSocket(app, document, { value: { n } });
    expect((await ask(5)).errors).toBeUndefined();
    expect((await ask(2 ** 53)).errors).toMatchObject([
      { message: expect.stringContaining('value.n: '), extensions: { code: 'INVALID_ARGUMENT' } },
    ]);
  });
});
