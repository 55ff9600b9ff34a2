/** The random text of a tenant that goes into its pairwise subjects. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { failingWith } from '../support/statements.ts';

const older = process.env['SLIPWAY_SECRETS'] ?? '';
const newer = 'another-secret-of-the-tests-that-is-long-enough';

/** Another server, with these secrets. */
async function startServer(secrets = older) {
  vi.resetModules();
  process.env['SLIPWAY_SECRETS'] = secrets;
  const { saltOf } = await import('../../src/oauth/store/pairwise-subjects.ts');
  const { pool } = await import('../../src/platform/database/client.ts');
  return { saltOf, pool };
}

/** The random text, as a server with these secrets reads it. */
async function saltUnder(secrets: string, tenantId: string): Promise<string> {
  const { saltOf, pool } = await startServer(secrets);
  return await saltOf(tenantId).finally(() => pool.end());
}

afterEach(() => {
  vi.resetModules();
  process.env['SLIPWAY_SECRETS'] = older;
});

describe('the random text of a tenant', () => {
  it('stays when another secret takes the place of the one that encrypts it', async () => {
    const tenantId = newId();
    const salt = await saltUnder(older, tenantId);
    expect(salt).toMatch(/^[\w-]{43}$/);
    expect(await saltUnder(`${newer},${older}`, tenantId)).toBe(salt);
    // It was encrypted anew, so the older secret can go.
    await expect(saltUnder(older, tenantId)).rejects.toThrow('cannot be decrypted');
    expect(await saltUnder(newer, tenantId)).toBe(salt);
  });

  it('is another one for each tenant', async () => {
    const { saltOf, pool } = await startServer();
    const salts = await Promise.all([saltOf(newId()), saltOf(newId())]);
    await pool.end();
    expect(new Set(salts).size).toBe(2);
  });

  it('is the same for servers that need it first at the same time', async () => {
    const tenantId = newId();
    const servers = [];
    for (let count = 0; count < 5; count += 1) servers.push(await startServer());
    const salts = await Promise.all(servers.map(({ saltOf }) => saltOf(tenantId)));
    await Promise.all(servers.map(({ pool }) => pool.end()));
    expect(new Set(salts).size).toBe(1);
  });

  it('is read again after the database could not be reached', async () => {
    const tenantId = newId();
    const { saltOf, pool } = await startServer();
    const reads = vi.spyOn(pool, 'query').mockImplementationOnce(failingWith(new Error('no database')));
    await expect(saltOf(tenantId)).rejects.toThrow();
    reads.mockRestore();
    expect(await saltOf(tenantId)).toMatch(/^[\w-]{43}$/);
    await pool.end();
  });
});
