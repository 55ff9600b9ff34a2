import { isAllowed, isSeen } from '../../authorization/can.ts';
import type { Permission } from '../../authorization/domain/permissions.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import { nameUnavailable } from '../../authorization/name-conflict.ts';
import type { EntityType, Project } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, type DomainError } from '../../platform/errors.ts';
import { differences } from '../domain/difference.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { isReservedName } from '../domain/reserved-names.ts';
import { entityNouns } from '../entity-nouns.ts';
import { ensureNamedEntity } from '../store.ts';

/** So that clients can still show the error. */
const MAX_DIFFERENCE_CHARACTERS = 64 * 1024;

/** The path of a name that cannot be used. */
const namePath = ['input', 'key', 'name'];

/** A registered version, and the target that decides about it. */
interface Registered<Row> {
  readonly row: Row;
  readonly id: string;
  readonly digest: string;
  readonly document: unknown;
  readonly target: Target;
}

interface Version<Row> {
  readonly type: EntityType;
  readonly project: Project;
  readonly key: EntityKey;
  readonly digest: string;
  readonly document: unknown;
  readonly read: Permission;
  readonly isDryRun: boolean;
  /** Inserts the row. All versions of a name share the named entity; it is new with the first version. */
  insert(tx: Tx, entity: { readonly id: string; readonly isNew: boolean }): Promise<Row>;
  find(): Promise<Registered<Row> | null>;
  /** A registered document without what the caller may not read. Left out if a document has no such parts. */
  visible?(document: unknown): Promise<unknown>;
}

/** What a registration has done, or would do. */
export interface Registration<Row> {
  /** IDENTICAL only in a dry run: otherwise it is an error. */
  readonly outcome: 'NEW' | 'IDENTICAL';
  readonly digest: string;
  /** What is stored, or would be. */
  readonly document: unknown;
  /** Null only in a dry run, if the version does not exist. */
  readonly row: Row | null;
}

/**
 * Stores a new version. A registered version never changes.
 *
 * In a dry run, everything is checked and nothing is stored. The row is then the one that is registered already.
 * @throws AlreadyExistsError for an identical version, which a client can treat as success; DifferentStructureError if
 * the version exists with another content; InvalidArgumentError `NameUnavailable` for a reserved name, and for a version
 * that the caller may not see.
 */
export async function storeVersion<Row>(caller: Caller, version: Version<Row>): Promise<Registration<Row>> {
  const { digest, document, isDryRun } = version;
  // Checked before writing, so that a reserved name and a hidden version take the same statements.
  const known = await version.find();
  if (known || isReservedName(version.key.name)) {
    const error = await conflict(caller, version, known);
    if (isDryRun && known && error instanceof AlreadyExistsError)
      return { outcome: 'IDENTICAL', digest, document, row: known.row };
    throw error;
  }
  if (isDryRun) return { outcome: 'NEW', digest, document, row: null };
  try {
    const row = await inTransaction(async (tx) => {
      const entity = await ensureNamedEntity(tx, version.project, version.type, version.key);
      return await version.insert(tx, entity);
    });
    return { outcome: 'NEW', digest, document, row };
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    // Another caller was faster.
    throw await conflict(caller, version, await version.find());
  }
}

async function conflict<Row>(
  caller: Caller,
  { type, key, digest, document, read, visible = async (known) => known }: Version<Row>,
  known: Registered<Row> | null,
): Promise<DomainError> {
  const named = { kind: entityNouns[type], key: addressText({ key }) };
  const isReadable = await isSeen(caller, named, known?.target ?? null);
  if (!isReadable || !known) return nameUnavailable(namePath);
  const name = `${entityNouns[type]} ${key.name} version ${key.version}`;
  if (known.digest === digest)
    return new AlreadyExistsError(`${name} is already registered and identical`, { existingId: known.id });
  const mayRead = await isAllowed(caller, read, { ...named, target: async () => known.target });
  const found = mayRead
    ? differences(await visible(known.document), document, MAX_DIFFERENCE_CHARACTERS)
    : [];
  return new DifferentStructureError(name, known.id, found);
}

/**
 * Refuses reserved names, and the name of a workflow that the caller may not read, in the same way.
 *
 * @param holder  the workflow that has the name; null if none has it.
 * @throws InvalidArgumentError `NameUnavailable`.
 */
export async function requireUsableName(
  caller: Caller,
  key: EntityKey,
  holder: Target | null,
): Promise<void> {
  const isReserved = isReservedName(key.name);
  if (!holder && !isReserved) return;
  const isReadable = await isSeen(caller, { kind: 'workflow', key: addressText({ key }) }, holder);
  if (!isReadable) throw nameUnavailable(namePath);
}
