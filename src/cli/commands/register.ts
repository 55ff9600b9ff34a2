import type { CliError } from '../cli-error.ts';
import type { Ask } from '../client.ts';
import { entitiesOf } from '../flyte/package-entities.ts';
import { readPackage } from '../flyte/package-files.ts';
import { comparePackage } from './compare-package.ts';
import { registerEntity } from './register-entity.ts';
import {
  type Outcome,
  type RegisterOptions,
  type RegisterResult,
  type Registration,
  registrationOf,
} from './registration.ts';

/**
 * Registers all that a package of Flyte's tools holds, in its order, and ends with the first refusal: what follows may
 * need what was refused. A version that exists and is identical counts as success, so the same package can be
 * registered again. A dry run reads all entities, and compares them with what is registered if a server answers.
 *
 * @throws CliError if the package cannot be read or the server does not answer.
 */
export async function register(ask: Ask, path: string, options: RegisterOptions): Promise<RegisterResult> {
  const entities = entitiesOf(await readPackage(path), options);
  if (options.dryRun === 'server') return await comparePackage(ask, entities, options);
  if (options.dryRun === 'offline')
    return { registrations: entities.map((entity) => registrationOf(entity)), error: null };

  const registrations: Registration[] = [];
  let error: CliError | null = null;
  for (const [index, entity] of entities.entries()) {
    let outcome: Outcome = 'not tried';
    if (error === null) {
      options.onStep(index, entities.length, `${entity.kind} ${entity.key.name}`);
      ({ outcome, error } = await registerEntity(ask, entity, { dryRun: false }));
    }
    registrations.push(registrationOf(entity, outcome));
  }
  return { registrations, error };
}
