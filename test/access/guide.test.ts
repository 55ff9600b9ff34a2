import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, basic, startApp } from '../support/app.ts';

/** ACCESS.md from top to bottom, against a fresh installation: each step as whom it says. */

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const page = readFileSync(new URL('../../ACCESS.md', import.meta.url), 'utf8');
const steps = [...page.matchAll(/^```graphql\n# as (\w+)\n([\s\S]*?)^```$/gm)].map(
  ([, who = '', document = '']) => ({ who, document }),
);

/** The passwords that the page gives out. */
const passwords = new Map(
  [...page.matchAll(/createUser\(input: \{ username: "(\w+)",[^}]*?password: "([^"]+)"/g)].map(
    ([, username = '', password = '']) => [username, password],
  ),
);
const administratorsPassword = /, password: "([^"]+)" \}\n/.exec(page)?.[1] ?? '';

function authorizationOf(who: string, step: number): string {
  if (who !== 'admin') return basic(who, passwords.get(who) ?? '');
  return basic('admin', step === 0 ? app.secrets.administrator.password : administratorsPassword);
}

async function take({ who, document }: (typeof steps)[number], step: number): Promise<Answer> {
  const text = document.replace('$ADMIN_PASSWORD', app.secrets.administrator.password);
  const { data, errors } = await app.ask(text, {}, authorizationOf(who, step));
  expect(errors, document).toBeUndefined();
  // An error of a union has a code; an enum of the audit log is none.
  for (const answer of Object.values(data as object)) expect(answer, document).not.toHaveProperty('code');
  return data;
}

describe('the page on users, roles and permissions', () => {
  let key: { accessKey: string; secretKey: string };

  it('describes steps that work as they are written', async () => {
    expect(steps.length).toBeGreaterThan(10);
    const answers: Answer[] = [];
    for (const [at, step] of steps.entries()) answers.push(await take(step, at));
    const projectsOfAda = answers.flatMap((answer, at) =>
      steps[at]?.who === 'ada' ? [answer.projects.edges.map(({ node }: Answer) => node.identifier)] : [],
    );
    expect(projectsOfAda).toEqual([['penguins'], ['penguins']]);
    const { explainPermission, permissions } = answers.find((answer) => answer.explainPermission);
    expect(explainPermission).toEqual({ level: 'NO_PERMISSIONS', decidedBy: 'GROUP_GRANT' });
    const grants = permissions.edges.map(({ node: { level, subject } }: Answer) => [
      subject.username ?? subject.name,
      level,
    ]);
    expect(grants).toEqual([
      ['ci', 'EDIT'],
      ['visitor', 'READ'],
      ['vision', 'EDIT'],
      ['grace', 'MANAGE'],
    ]);
    const events = answers
      .at(-1)
      .auditEvents.edges.map(({ node }: Answer) => [node.action, node.actor.username, node.target.name]);
    const granted = ['permission:grant', 'admin'];
    expect(events).toEqual(['payroll', 'payroll', 'payroll', '*', 'penguins'].map((on) => [...granted, on]));
    key = answers.find((answer) => answer.createCredentials).createCredentials;
  });

  it('ends with a guest who can only read and a key that can only use its scopes', async () => {
    const guest = basic('visitor', passwords.get('visitor') ?? '');
    const list = await app.ask('{ projects { edges { node { identifier } } } }', {}, guest);
    expect(list.data.projects.edges).toEqual([{ node: { identifier: 'penguins' } }]);
    const make = 'mutation { createExperiment(input: { project: "penguins", name: "x" }) { __typename } }';
    expect((await app.ask(make, {}, guest)).errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    const ci = basic(key.accessKey, key.secretKey);
    const seen = await app.ask('{ projects { edges { node { identifier } } } }', {}, ci);
    expect(seen.data.projects.edges).toEqual([{ node: { identifier: 'penguins' } }]);
    expect((await app.ask(make, {}, ci)).errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
  });
});
