import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const poll = `mutation { leaseJobs(input: { executor: "gone-soon", knownRuns: [], maxJobs: 1, wait: "PT15S" }) {
  __typename ... on Error { code message } } }`;

describe('a long poll', () => {
  it('is refused at once when its access key is revoked while it waits', async () => {
    const key = await newUser({ role: 'SYSTEM', scopes: ['executor'] });
    const answer = app.ask(poll, {}, key.authorization);
    // The call is in, and waits: nothing is there to be leased.
    await eventually(
      () => db.executor.count({ where: { name: 'gone-soon' } }),
      (count) => count === 1,
    );
    const { data } = await app.ask(
      `mutation { revokeCredentials(input: { by: { accessKey: "${key.accessKey}" } }) { __typename ... on Error { message } } }`,
    );
    expect(data.revokeCredentials).toEqual({ __typename: 'RevokeCredentialsPayload' });
    const { errors } = await answer;
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});
