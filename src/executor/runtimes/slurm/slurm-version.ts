import { isRecord } from '../../../values/json.ts';
import { type SlurmClient, SlurmError } from './slurm-client.ts';

/** The last number of a version of slurmrestd's API: 38 for `v0.0.38`. */
export type SlurmVersion = number;

/** The versions that we can speak. Slurm 21.08 began with 37. */
export const knownVersions: readonly SlurmVersion[] = [44, 43, 42, 41, 40, 39, 38, 37];

/** The path of the API. */
export const apiOf = (version: SlurmVersion) => `/slurm/v0.0.${version}`;

/** The newest version that both sides can speak. @throws SlurmError REFUSED if there is none. */
export async function chooseVersion(client: SlurmClient, signal?: AbortSignal): Promise<SlurmVersion> {
  const described = await describedVersions(client, signal);
  const version = described
    ? knownVersions.find((known) => described.has(known))
    : await firstAnswered(client, signal);
  if (version !== undefined) return version;
  throw new SlurmError(
    'REFUSED',
    `slurmrestd offers none of the versions ${knownVersions.map((known) => `v0.0.${known}`).join(', ')} of its API`,
  );
}

/** What slurmrestd says about itself; null if it has no description. */
async function describedVersions(
  client: SlurmClient,
  signal?: AbortSignal,
): Promise<ReadonlySet<number> | null> {
  for (const path of ['/openapi/v3', '/openapi']) {
    try {
      const { paths } = await client.ask('GET', path, { signal });
      if (isRecord(paths)) return versionsIn(Object.keys(paths));
    } catch (error) {
      if (!(error instanceof SlurmError) || error.fault === 'UNAUTHENTICATED') throw error;
    }
  }
  return null;
}

/** The versions that can submit jobs. */
export function versionsIn(paths: readonly string[]): ReadonlySet<number> {
  return new Set(
    paths.flatMap((path) => {
      const [, version] = /^\/slurm\/v0\.0\.(\d+)\/job\/submit\/?$/.exec(path) ?? [];
      return version === undefined ? [] : [Number(version)];
    }),
  );
}

async function firstAnswered(client: SlurmClient, signal?: AbortSignal): Promise<SlurmVersion | undefined> {
  let away: unknown;
  for (const version of knownVersions) {
    try {
      await client.ask('GET', `${apiOf(version)}/ping`, { signal });
      return version;
    } catch (error) {
      if (!(error instanceof SlurmError) || error.fault === 'UNAUTHENTICATED') throw error;
      away = error;
    }
  }
  // A version that does not exist and a slurmctld that is away look the same here, so the next start tries again.
  throw away;
}
