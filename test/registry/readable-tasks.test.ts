import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { registerProject, registerTask, workflowInput } from '../support/seed.ts';
import { newCaller } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'reads');
  await registerTask(app, 'reads', 'double');
});
afterAll(() => app.stop());

const create = async (name: string, authorization: string, task = 'double') => {
  const { data } = await app.ask(
    `mutation ($input: CreateWorkflowInput!) {
       createWorkflow(input: $input) { __typename ... on InvalidArgumentError { problems { code message } } }
     }`,
    { input: workflowInput('reads', name, { a: [] }, { task }) },
    authorization,
  );
  return data.createWorkflow;
};

describe('createWorkflow', () => {
  it('answers the same for a task that the caller cannot read as for an absent one', async () => {
    const caller = { role: 'USER', level: 'EDIT' } as const;
    const blind = await newCaller({ ...caller, scopes: ['workflow:create'] });
    const hidden = await create('blind', blind);
    expect(hidden.__typename).toBe('InvalidArgumentError');
    const absent = await create('blind', blind, 'absent');
    const plain = (answer: object) => JSON.stringify(answer).replaceAll(/double|absent/g, 'x');
    expect(plain(hidden)).toBe(plain(absent));
    const seeing = await newCaller({ ...caller, scopes: ['workflow:create', 'task:read'] });
    expect(await create('seeing', seeing)).toEqual({ __typename: 'CreateWorkflowPayload' });
  });
});
