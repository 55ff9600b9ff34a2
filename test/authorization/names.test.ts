import { describe, expect, it } from 'vitest';
import { groupProblems } from '../../src/authorization/domain/group-names.ts';
import { displayNameFault, nameFault } from '../../src/authorization/domain/names.ts';
import { tenantNameFault } from '../../src/identity/domain/tenant-checks.ts';
import { usernameFault } from '../../src/identity/domain/user-checks.ts';

/** The same rule for names of all kinds. The tests in test/sign-in check it for outside issuers. */
const kinds = {
  nameFault,
  usernameFault,
  tenantNameFault,
  groupNameFault: (name: string) => groupProblems({ name })[0]?.message ?? null,
};

describe.each(Object.entries(kinds))('%s', (_kind, faultOf) => {
  it.each(['ada', 'Ada Lovelace', 'ada@example.com', 'Ádá', '艾达艾', 'a'.repeat(255)])(
    'accepts %j',
    (name) => {
      expect(faultOf(name)).toBeNull();
    },
  );

  it.each([
    ['', 'nothing'],
    ['   ', 'spaces'],
    ['a'.repeat(256), 'too much'],
    ['ﷺ'.repeat(20), 'a form for comparison that is too long'],
    ['acme:ada', 'a colon'],
    ['acme：ada', 'a colon in full width'],
    ['acme/ada', 'a slash'],
    ['ada\n', 'a line break'],
    ['ada\u0007', 'a control character'],
    ['ada\u200b', 'a space that nobody sees'],
    ['\u202eada', 'an override of the direction of writing'],
    ['ada\u2066x', 'an isolate of the direction of writing'],
    ['ada\u2028x', 'a line separator'],
    ['ada\ud800', 'half a character'],
    [' ada', 'a space in front'],
    ['ada\u3000', 'a wide space behind'],
    ['¨ada', 'a mark that is compared as a space and a mark'],
  ])('refuses %j: %s', (name) => {
    expect(faultOf(name)).toEqual(expect.any(String));
  });
});

describe('the name of a group', () => {
  it('does not begin with __, which is reserved', () => {
    expect(kinds.groupNameFault('__x')).toBe('names that begin with __ are reserved');
    expect(kinds.usernameFault('__x')).toBeNull();
  });
});

describe('the description of a group', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['x'.repeat(1000), []],
    ['x'.repeat(1001), [['input', 'description']]],
  ])('has at most 1000 characters %#', (description, paths) => {
    expect(groupProblems({ description }).map(({ path }) => path)).toEqual(paths);
  });
});

describe('a name for people', () => {
  it.each([
    ['x'.repeat(255), true],
    ['x'.repeat(256), false],
    ['Ada: Lovelace', true],
    ['ecila\u202e', false],
  ])('is one line of at most 255 characters %#', (name, isGood) => {
    expect(displayNameFault(name) === null).toBe(isGood);
  });
});

describe('the name of a user', () => {
  it('is not an access key', () => {
    expect(usernameFault('A1'.repeat(15))).toEqual(expect.any(String));
    expect(nameFault('A1'.repeat(15))).toBeNull();
  });
});
