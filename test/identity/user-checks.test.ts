import { describe, expect, it } from 'vitest';
import { mayAssign } from '../../src/identity/domain/administration.ts';
import { mergePreferences } from '../../src/identity/domain/preferences.ts';
import { kindProblems, userProblems } from '../../src/identity/domain/user-checks.ts';
import { nameKey } from '../../src/platform/text.ts';

const faultsOf = (given: object) => userProblems(given).map(({ path }) => path.join('.'));

describe('user names', () => {
  it('are compared without regard to case and Unicode form', () => {
    expect(nameKey('ＡＤＡ')).toBe(nameKey('ada'));
    expect(nameKey('Straße')).not.toBe(nameKey('strasse'));
  });
});

describe('e-mail addresses', () => {
  it.each(['ada@example.com', 'a.b+c@localhost', "o'neill@x.y.z", 'ада@пример.рф'])('may be %s', (email) => {
    expect(faultsOf({ email })).toEqual([]);
  });

  it.each([
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'a b@example.com',
    '.ada@example.com',
    'a..b@example.com',
    'ada@-example.com',
    'ada@example..com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a.'.repeat(130)}com`,
  ])('may not be %s', (email) => {
    expect(faultsOf({ email })).toEqual(['input.email']);
  });
});

describe('passwords', () => {
  it.each([
    ['12 characters pass', 'twelve chars', []],
    ['11 do not', 'eleven char', ['input.password']],
    ['12 of any script pass', '密码'.repeat(6), []],
    ['a pair of surrogates is one', '😀'.repeat(11), ['input.password']],
    ['1024 pass', 'x'.repeat(1024), []],
    ['1025 do not', 'x'.repeat(1025), ['input.password']],
  ])('%s', (_what, password, faults) => {
    expect(faultsOf({ password })).toEqual(faults);
  });
});

describe('the input of a user', () => {
  it('gets all its problems reported together', () => {
    const given = {
      ...{ username: 'a:b', email: 'nobody', password: 'short', name: ' ', givenName: '\u0001' },
      avatar: 'javascript:alert(1)',
    };
    expect(faultsOf(given)).toEqual(
      ['username', 'email', 'password', 'name', 'givenName', 'avatar'].map((field) => `input.${field}`),
    );
  });

  it('needs a kind that fits its other fields', () => {
    expect(kindProblems({ kind: 'PERSON', role: 'SYSTEM' })).toHaveLength(1);
    expect(kindProblems({ kind: 'SERVICE_ACCOUNT', role: 'SYSTEM', password: 'x' })).toHaveLength(1);
    expect(kindProblems({ kind: 'SERVICE_ACCOUNT', role: 'USER', password: null })).toEqual([]);
  });
});

describe('administration', () => {
  it('cannot give a role above its own, except SYSTEM to service accounts', () => {
    expect(mayAssign('ADMIN', 'ADMIN', 'PERSON')).toBe(true);
    expect(mayAssign('ADMIN', 'SYSTEM', 'SERVICE_ACCOUNT')).toBe(true);
    expect(mayAssign('ADMIN', 'SYSTEM', 'PERSON')).toBe(false);
    expect(mayAssign('ADMIN', 'ROOT', 'SERVICE_ACCOUNT')).toBe(false);
    expect(mayAssign('SYSTEM', 'ROOT', 'PERSON')).toBe(false);
    expect(mayAssign('ROOT', 'ROOT', 'PERSON')).toBe(true);
  });
});

describe('preferences', () => {
  it('are merged: a dotted key sets a nested value, null removes, and the rest stays', () => {
    const stored = { theme: 'dark', table: { rows: 25, columns: ['a'] } };
    const merged = mergePreferences(stored, {
      'table.rows': 50,
      theme: null,
      'a.b.c': 1,
      table: { wide: true },
    });
    expect(merged).toEqual({ table: { rows: 50, columns: ['a'], wide: true }, a: { b: { c: 1 } } });
    expect(stored).toEqual({ theme: 'dark', table: { rows: 25, columns: ['a'] } });
  });

  it.each([
    ['a key with a dollar', { $set: 1 }],
    ['one further in', { a: { $set: 1 } }],
    ['one behind a dot', { 'a.$set': 1 }],
    ['an empty key', { 'a..b': 1 }],
    ['a list', [1]],
    ['a text', 'x'],
    ['too deep a nest', { [`${'a.'.repeat(40)}a`]: 1 }],
    ['too much', { a: 'x'.repeat(64 * 1024) }],
  ])('are not %s', (_what, changes) => {
    expect(() => mergePreferences({}, changes)).toThrow();
  });

  it('treat __proto__ as an ordinary key', () => {
    const merged = mergePreferences({}, JSON.parse('{"__proto__": {"polluted": 1}, "__proto__.more": 2}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":1,"more":2}}');
  });
});
