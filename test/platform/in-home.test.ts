import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/platform/config/environment.ts';
import { inHome } from '../../src/platform/in-home.ts';

const failing = (code: string) => {
  const error = Object.assign(new Error('no'), { code, path: '/srv/slipway/port' });
  return { error, work: () => Promise.reject(error) };
};

describe('work in SLIPWAY_HOME', () => {
  it.each(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'])(
    'says where files cannot be written: %s',
    async (code) => {
      const refused = inHome(failing(code).work);
      await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
      await expect(refused).rejects.toThrow(
        `SLIPWAY_HOME: /srv/slipway/port cannot be written to (${code}).`,
      );
    },
  );

  it('fails as it is for any other reason', async () => {
    const { error, work } = failing('EIO');
    await expect(inHome(work)).rejects.toBe(error);
    expect(await inHome(() => 5)).toBe(5);
  });
});
