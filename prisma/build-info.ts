import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What a build writes to `dist/build.json`. The server reads it: src/api/build-info.ts. */
export interface BuildInfo {
  /** The commit, with `-dirty` behind it if tracked files differ from it; empty if it is not known. */
  readonly build: string;
  /** RFC 3339. */
  readonly buildTime: string;
}

/**
 * The commit comes from git, or from `GIT_COMMIT` where there is no repository, as in most images. Only the repository
 * of the product itself counts, not one around it. `SOURCE_DATE_EPOCH` sets the time, so that a build can be repeated.
 */
export function buildInfo(root: string, environment: NodeJS.ProcessEnv, now: Date): BuildInfo {
  const epoch = environment['SOURCE_DATE_EPOCH'] ?? '';
  const time = /^\d{1,11}$/.test(epoch) ? new Date(Number(epoch) * 1000) : now;
  return { build: commitOf(root) ?? environment['GIT_COMMIT'] ?? '', buildTime: time.toISOString() };
}

function commitOf(root: string): string | null {
  const place = [`--git-dir=${join(root, '.git')}`, `--work-tree=${root}`];
  const describe = ['describe', '--always', '--abbrev=40', '--dirty', '--exclude=*'];
  const { status, stdout } = spawnSync('git', [...place, ...describe], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
