/**
 * The time to normalize a text grows with the square of its length, so a text that is longer than a name is never
 * normalized.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type App, basic, startApp } from '../support/app.ts';
import { createGroup, createTenant, createUser, editUser } from '../support/people.ts';
import { newCaller } from '../support/users.ts';

/** A few letters, and so many marks on one of them that a slow function is noticed. */
const long = `a${'\u0301'.repeat(2000)}`;

let app: App;
let guest: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  guest = await newCaller({ username: 'guest', role: 'GUEST' });
});
afterAll(() => app.stop());

let normalized: string[] = [];
beforeEach(() => {
  normalized = [];
  const { normalize } = String.prototype;
  vi.spyOn(String.prototype, 'normalize').mockImplementation(function (this: string, form?: string) {
    normalized.push(String(this));
    return normalize.call(this, form);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const codeOf = async (document: string, variables: object, authorization?: string) => {
  const { data, errors } = await app.ask(document, variables, authorization);
  return errors?.[0]?.extensions.code ?? data;
};

describe('a text longer than a name', () => {
  it.each([
    ['user', { by: { username: long } }, 'PERMISSION_DENIED', 'NOT_FOUND'],
    ['user', { by: { email: `${long}@example.com` } }, 'PERMISSION_DENIED', 'NOT_FOUND'],
  ])('finds no %s: %j', async (_field, variables, asGuest, asAdmin) => {
    const document = 'query ($by: UserByInput!) { user(by: $by) { id } }';
    expect(await codeOf(document, variables, guest)).toBe(asGuest);
    expect(await codeOf(document, variables)).toBe(asAdmin);
  });

  it('finds no group, and is not accepted as a prefix', async () => {
    expect(await codeOf('query ($by: GroupByInput!) { group(by: $by) { id } }', { by: { name: long } })).toBe(
      'NOT_FOUND',
    );
    for (const [field, condition] of [
      ['users', 'usernamePrefix'],
      ['groups', 'namePrefix'],
    ] as const)
      expect(
        await codeOf(
          `query ($prefix: String) { ${field}(filter: { ${condition}: $prefix }) { edges { cursor } } }`,
          { prefix: long },
        ),
      ).toEqual({ [field]: { edges: [] } });
    expect(
      await codeOf('query ($by: GroupByInput!) { users(filter: { group: $by }) { edges { cursor } } }', {
        by: { name: long },
      }),
    ).toEqual({ users: { edges: [] } });
  });

  it('is refused as the name of a new object or user', async () => {
    const made = [
      await createUser(app, { username: long }),
      await createUser(app, { email: `${long}@example.com` }),
      await editUser(app, { by: { username: 'guest' }, email: `${long}@example.com` }),
      await createGroup(app, { name: long }),
      await createTenant(app, { name: long }),
    ];
    expect(made.map(({ code }) => code)).toEqual([
      ...['INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
      // Administrators cannot create tenants.
      'PERMISSION_DENIED',
    ]);
  });

  it('cannot sign in and cannot be impersonated', async () => {
    const { status } = await app.ask('{ viewer { id } }', {}, basic(long, 'secret'));
    expect(status).toBe(401);
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: app.admin,
        'x-slipway-act-as': 'x'.repeat(2000),
      },
      body: JSON.stringify({ query: '{ viewer { id } }' }),
    });
    expect(response.status).toBe(403);
  });

  afterEach(() => {
    expect(Math.max(0, ...normalized.map(({ length }) => length))).toBeLessThanOrEqual(255);
  });
});

it('only src/platform/text.ts normalizes and compares text', () => {
  const source = resolve(import.meta.dirname, '../../src');
  const callers = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      !file.startsWith('generated') &&
      /\.(normalize|localeCompare)\(/.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(callers).toEqual([join('platform', 'text.ts')]);
});
