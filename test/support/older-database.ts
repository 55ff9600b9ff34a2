/** A database as an older release would have left it. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { applyMigrations } from '../../src/platform/database/migrations.ts';

const migrations = resolve(import.meta.dirname, '../../prisma/migrations');

/** Applies all migrations before this one to an empty database. */
export async function applyBefore(url: string, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-migrations-'));
  const all = (await readdir(migrations)).filter((one) => /^\d/.test(one)).sort();
  const older = all.slice(
    0,
    all.findIndex((one) => one.endsWith(`_${name}`)),
  );
  for (const one of older) await cp(join(migrations, one), join(folder, one), { recursive: true });
  await applyMigrations(url, { folder });
  await rm(folder, { recursive: true });
}
