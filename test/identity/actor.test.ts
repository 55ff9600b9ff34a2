import { expect, it } from 'vitest';
import { type Answer, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';

it('one fragment on Actor fits wherever a user is shown, and finds the same user', async () => {
  const app = await startApp({ scheduler: false });
  try {
    await registerProject(app, 'home');
    await mutate(app, 'createExperiment', { project: 'home', name: 'e' });
    const { data, errors } = await app.ask(
      `query ($token: String!) {
         viewer { ...Author } experiments { nodes { createdBy { ...Author } } }
         validateToken(token: $token) { user { ...Author } }
         auditEvents(first: 1, filter: { outcome: DONE }) { nodes { actor { ...Author } } }
       }
       fragment Author on Actor { __typename id username }`,
      { token: app.admin.replace('Bearer ', '') },
    );
    expect(errors).toBeUndefined();
    const shown: Answer[] = [
      data.viewer,
      data.experiments.nodes[0].createdBy,
      data.validateToken.user,
      data.auditEvents.nodes[0].actor,
    ];
    const { id } = data.viewer;
    expect(shown).toEqual(
      ['User', 'Principal', 'TokenUser', 'AuditActor'].map((type) => ({
        ...{ __typename: type, id, username: 'admin' },
      })),
    );
  } finally {
    await app.stop();
  }
});
