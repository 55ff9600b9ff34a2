import { describe, expect, it } from 'vitest';
import { isActiveAdministrator, mayAssign } from '../../src/identity/domain/administration.ts';
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
  const long = `ada@${'a.'.repeat(124)}de`;
  it.each([...['ada@example.com', 'a.b+c@localhost', "o'neill@x.y.z", 'ада@пример.рф'], long])(
    'may be %s',
    (email) => {
      expect(faultsOf({ email })).toEqual([]);
    },
  );

  it.each([
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'a b@example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    'ada@-example.com',
    'ada@example..com',
    `${'a'.repeat(65)}@example.com`,
    // Each is an address in only one of the forms in which it is written and compared.
    'ada＠example.com',
    'ﷺ@example.com',
    `${long}f`,
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
    ['lines count, too', 'a\n'.repeat(6), []],
    ['1024 pass', 'x'.repeat(1024), []],
    ['1024 pairs of surrogates pass', '😀'.repeat(1024), []],
    ['1025 do not', 'x'.repeat(1025), ['input.password']],
  ])('%s', (_what, password, faults) => {
    expect(faultsOf({ password })).toEqual(faults);
  });
});

describe('the address of a picture', () => {
  it.each([
    ['http', 'http://example.com/a.png', []],
    ['2048 characters', 'https://example.com/'.padEnd(2048, 'a'), []],
    ['2049 characters', 'https://example.com/'.padEnd(2049, 'a'), ['input.avatar']],
    ['a script', 'javascript:alert(1)', ['input.avatar']],
    ['no address', 'a picture', ['input.avatar']],
  ])('is checked: %s', (_what, avatar, faults) => {
    expect(faultsOf({ avatar })).toEqual(faults);
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
    expect(mayAssign('ROOT', 'SYSTEM', 'PERSON')).toBe(true);
    expect(mayAssign('SUPERUSER', 'SYSTEM', 'SERVICE_ACCOUNT')).toBe(false);
  });

  it.each([
    ['a person with the role ADMIN', {}, true],
    ['a person with the role ROOT', { role: 'ROOT' }, true],
    ['a superuser', { role: 'SUPERUSER' }, false],
    ['a service account', { kind: 'SERVICE_ACCOUNT' }, false],
    ['somebody who is disabled', { disabledAt: new Date() }, false],
  ] as const)('counts persons who can administer: %s', (_who, given, counts) => {
    const user = { role: 'ADMIN', kind: 'PERSON', disabledAt: null, ...given } as const;
    expect(isActiveAdministrator(user)).toBe(counts);
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
    ['an empty key', { '': 1 }],
    ['an empty key before a dot', { '.a': 1 }],
    ['an empty key between dots', { 'a..b': 1 }],
    ['a list', [1]],
    ['a text', 'x'],
    ['null', null],
    ['no changes', {}],
    ['33 levels', { ['a.'.repeat(32).concat('a')]: 1 }],
    ['more than 64 KiB', { a: 'x'.repeat(64 * 1024 - 8 + 1) }],
  ])('are not %s', (_what, changes) => {
    expect(() => mergePreferences({}, changes)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it.each([
    ['32 levels', { ['a.'.repeat(31).concat('a')]: 1 }],
    ['64 KiB', { a: 'x'.repeat(64 * 1024 - 8) }],
  ])('may have %s', (_what, changes) => {
    expect(() => mergePreferences({}, changes)).not.toThrow();
  });

  it('say how large they may be', () => {
    expect(() => mergePreferences({}, { a: 'x'.repeat(64 * 1024) })).toThrow('more than 64 KiB');
  });

  it('treat __proto__ as an ordinary key', () => {
    const merged = mergePreferences({}, JSON.parse('{"__proto__": {"polluted": 1}, "__proto__.more": 2}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":1,"more":2}}');
  });
});
