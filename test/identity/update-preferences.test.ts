import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { updatePreferences, viewerOf } from '../support/people.ts';
import { newCaller } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

describe('updatePreferences', () => {
  it('merges into the preferences of the caller, and reports when nothing changed', async () => {
    const caller = await newCaller({ role: 'GUEST' });
    const preferences = { 'table.rows': 50, theme: 'dark' };
    expect(await updatePreferences(app, { preferences }, caller)).toMatchObject({ updated: 1 });
    expect(await updatePreferences(app, { preferences }, caller)).toMatchObject({ updated: 0 });
    await updatePreferences(app, { preferences: { table: { wide: true }, theme: null } }, caller);
    const expected = { table: { rows: 50, wide: true } };
    expect((await viewerOf(app, caller)).preferences).toEqual(expected);
    expect((await viewerOf(app, app.admin)).preferences).toEqual({});
  });

  it('refuses keys with a dollar, and more than 64 KiB in all', async () => {
    const caller = await newCaller({ role: 'USER' });
    const path = ['input', 'preferences'];
    expect(await updatePreferences(app, { preferences: { a: { $b: 1 } } }, caller)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: [...path, 'a', '$b'] },
    });
    const half = 'x'.repeat(40_000);
    expect(await updatePreferences(app, { preferences: { a: half } }, caller)).toMatchObject({ updated: 1 });
    expect(await updatePreferences(app, { preferences: { b: half } }, caller)).toMatchObject({ path });
  });

  it('keeps every key when many calls set keys at the same time', async () => {
    const caller = await newCaller({ role: 'USER' });
    const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`);
    await Promise.all(keys.map((key) => updatePreferences(app, { preferences: { [key]: true } }, caller)));
    expect(Object.keys((await viewerOf(app, caller)).preferences).sort()).toEqual([...keys].sort());
  });
});
