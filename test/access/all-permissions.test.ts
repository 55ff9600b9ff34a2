import { expect, it } from 'vitest';
import { isScope, permissions } from '../../src/authorization/domain/permissions.ts';
import { type Answer, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller } from '../support/users.ts';

it('allPermissions lists every permission, each of which is a scope of an access key, with who may use it', async () => {
  const app = await startApp({ scheduler: false });
  try {
    const asked = '{ allPermissions { name description role level openTo serviceScope } }';
    const guest = await newCaller({ role: 'GUEST' });
    const { data, errors } = await app.ask(asked, {}, guest);
    expect(errors).toBeUndefined();
    const names: string[] = data.allPermissions.map(({ name }: Answer) => name);
    expect(names).toEqual(Object.keys(permissions));
    expect(names.filter((name) => !isScope(name))).toEqual([]);
    const texts: string[] = data.allPermissions.map(({ description }: Answer) => description);
    expect(new Set(texts).size).toBe(names.length);
    expect(texts.filter((text) => !/^[A-Z][^.]*\.$/.test(text))).toEqual([]);
    const of = (name: string) => data.allPermissions.find((one: Answer) => one.name === name);
    expect(of('execution:terminate')).toEqual({
      ...{ name: 'execution:terminate', description: 'Stop executions.' },
      ...{ role: 'USER', level: 'EDIT', openTo: ['CONFINED'], serviceScope: null },
    });
    expect(of('job:run')).toMatchObject({ role: 'SYSTEM', level: null, serviceScope: 'executor' });
    expect(of('experiment:create')).toMatchObject({ role: 'USER', level: null });
    const key = await mutate(
      app,
      'createCredentials',
      { scopes: names.slice(0, 50) },
      'credential { scopes }',
    );
    expect(key).toMatchObject({ credential: { scopes: names.slice(0, 50) } });
    const narrow = await newCaller({ role: 'ADMIN', scopes: ['project:read'] });
    expect((await app.ask(asked, {}, narrow)).errors).toMatchObject([
      { extensions: { code: 'PERMISSION_DENIED' } },
    ]);
  } finally {
    await app.stop();
  }
});
