import { describe, expect, it } from 'vitest';
import { openToConfined, type Permission, permissions } from '../../src/authorization/domain/permissions.ts';

const open = (Object.keys(permissions) as Permission[]).filter((permission) =>
  openToConfined(permission, permissions[permission]),
);

describe('a token that is confined to some resources', () => {
  it('may do nothing about people, programs, rights of the tenant, and make nothing wider than itself', () => {
    const closed = Object.keys(permissions).filter((permission) => !open.includes(permission as Permission));
    expect(closed.toSorted()).toEqual([
      'audit:read',
      'credential:create',
      'credential:revoke',
      'credential:update',
      'group:administer',
      'group:create',
      'job:run',
      'permission:administer',
      'project:register',
      'queue:create',
      'tenant:administer',
      'tenant:create',
      'token:createForOthers',
      'token:validate',
      'user:administer',
      'user:changePassword',
      'user:create',
      'user:list',
      'user:update',
    ]);
  });
});
