import { isUniqueViolation } from '../../platform/database/failures.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { differences, differencesText } from '../domain/difference.ts';
import { type EntityKey, entityKeyText } from '../domain/entity-keys.ts';

/** So that a refusal stays one that a client can show. */
const MAX_DIFFERENCE_CHARACTERS = 64 * 1024;

/**
 * Stores a version once. What is registered never changes: registering the same again is AlreadyExistsError, which a
 * client may take for success; something else under the same version is InvalidArgumentError
 * (`DifferentStructure`) with the difference.
 */
export async function storeVersion<Row>(
  kind: string,
  key: EntityKey,
  content: { digest: string; document: unknown },
  store: {
    insert: () => Promise<Row>;
    find: () => Promise<{ digest: string; document: unknown } | null>;
  },
): Promise<Row> {
  try {
    return await store.insert();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const existing = await store.find();
    if (!existing) throw error;
    const name = `${kind} ${key.name} version ${key.version}`;
    if (existing.digest === content.digest)
      throw new AlreadyExistsError(`${name} is registered already, identical`);
    const text = differencesText(differences(existing.document, content.document), MAX_DIFFERENCE_CHARACTERS);
    throw InvalidArgumentError.of(
      ['input', 'id', 'version'],
      `${name} is registered already with another structure (${entityKeyText(key)}):\n${text}`,
      'DifferentStructure',
    );
  }
}
