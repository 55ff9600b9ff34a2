import { recordChange } from '../../authorization/audit.ts';
import type { Permission } from '../../authorization/domain/permissions.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import { grantCreator } from '../../authorization/grant-creator.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Project } from '../../generated/prisma/client.ts';
import type { ProjectState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import {
  type DomainError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  type Problem,
  requireChanges,
} from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { requireActiveProject } from '../../projects/domain/project-checks.ts';
import { requireChangeable, requirePrivate } from '../domain/lifecycle.ts';
import { type Tags, tagProblems, tagsWith, tagsWithout } from '../domain/tags.ts';
import { descriptionProblems, isReservedName } from '../domain/texts.ts';

/**
 * The common lifecycle of experiments and registered models. They are created in a project under a free name, renamed,
 * described and tagged. When they are deleted, they keep their name, contents and grants, and can be restored. When
 * they are public, every tenant may read them and nobody may change them; they can be made private again. `Kind`
 * contains the differences of the two.
 */

export interface TrackedRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: unknown;
  readonly publicAt: Date | null;
  readonly createdById: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The identifier of the project. */
  readonly project: string;
}

export interface TrackedKey {
  readonly project: string;
  readonly name: string;
}

/** The columns that all kinds have. */
interface NewRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Tags;
  readonly createdById: string;
}

/** The columns of a row that come from its project. */
interface ProjectColumns {
  readonly project: string;
  readonly projectState: ProjectState;
}

interface Kind<Row extends TrackedRow, Changes> {
  /** The name for people. */
  readonly name: 'experiment' | 'registered model';
  readonly resourceType: 'EXPERIMENT' | 'REGISTERED_MODEL';
  readonly publish: Permission;
  targetOf(row: Row): Target;
  nameProblems(name: string): Problem[];
  isDeleted(row: Row): boolean;
  /** The columns that say that the row was deleted at `at`; null means that it is not deleted. */
  deletion(at: Date | null): Changes;
  find(tenantId: string, key: TrackedKey): Promise<Row | null>;
  /** Locks the row until the transaction ends. */
  lock(tx: Tx, id: string): Promise<Row | null>;
  insert(tx: Tx, row: NewRow, project: ProjectColumns): Promise<Row>;
  update(tx: Tx, id: string, changes: Changes): Promise<Partial<Row>>;
}

export interface NewTracked {
  readonly name: string;
  readonly description: string;
  readonly tags: Tags;
}

export interface TrackedChange {
  /** Null means no change. */
  readonly name: string | null;
  readonly description: string | null;
}

/** The changes of columns that all kinds have. */
interface CommonChanges {
  name?: string;
  description?: string;
  tags?: Tags;
  publicAt?: Date | null;
}

/** The commands for one kind. */
export type Lifecycle<Row extends TrackedRow> = ReturnType<typeof lifecycleOf<Row, never>>;

/** The commands for one kind. A command that changes a row locks it before it decides, until the transaction ends. */
export function lifecycleOf<Row extends TrackedRow, Changes>(kind: Kind<Row, Changes | CommonChanges>) {
  const notFound = (id: string) => new NotFoundError(kind.name, id);

  /** @throws PermissionDeniedError while it is public; FailedPreconditionError while it is deleted. */
  const requireChangeableRow = (row: Row) =>
    requireChangeable(kind.name, { isDeleted: kind.isDeleted(row), publicAt: row.publicAt });

  /** @throws NotFoundError if it was deleted permanently. */
  async function lock(tx: Tx, id: string): Promise<Row> {
    const row = await kind.lock(tx, id);
    if (!row) throw notFound(id);
    return row;
  }

  async function change(
    id: string,
    judge: (row: Row) => Changes | CommonChanges,
    record?: (tx: Tx, row: Row) => Promise<void>,
  ): Promise<Row> {
    return await inTransaction(async (tx) => {
      const row = await lock(tx, id);
      const changes = await kind.update(tx, id, judge(row));
      await record?.(tx, row);
      return { ...row, ...changes };
    });
  }

  const taken = (caller: Caller, { name }: TrackedKey, holder: Row | null): Promise<DomainError> =>
    nameConflict(caller, holder && kind.targetOf(holder), {
      kind: kind.name,
      name,
      path: ['input', 'name'],
    });

  /** Checks the name before writing, so that a taken name and a reserved one take the same statements. */
  async function requireFreeName(caller: Caller, key: TrackedKey, ownId: string | null): Promise<void> {
    const holder = await kind.find(caller.tenantId, key);
    if (holder ? holder.id !== ownId : isReservedName(key.name)) throw await taken(caller, key, holder);
  }

  /**
   * Runs `write`. A unique violation means that another caller was faster; the error is the same as if the name was
   * taken before.
   */
  async function underName<Result>(caller: Caller, key: TrackedKey, write: () => Promise<Result>) {
    try {
      return await write();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw await taken(caller, key, await kind.find(caller.tenantId, key));
    }
  }

  async function setPublic(caller: Caller, id: string, judge: (row: Row) => Date | null): Promise<Row> {
    return await change(
      id,
      (row) => ({ publicAt: judge(row) }),
      async (tx, { tenantId, name, publicAt: was }) => {
        await recordChange(tx, caller, {
          action: kind.publish,
          target: { type: kind.name, id, name },
          before: { isPublic: was !== null },
          after: { isPublic: was === null },
          tenantId,
        });
        await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
      },
    );
  }

  return {
    /**
     * Creates one in a project. The caller gets MANAGE on it.
     *
     * @throws InvalidArgumentError with all problems, or `NameUnavailable`; AlreadyExistsError if an object that the
     * caller may read has the name, deleted or not. Source: MLflow's create experiment and create registered model.
     */
    async create(caller: Caller, project: Project, given: NewTracked): Promise<Row> {
      const { name, description, tags } = given;
      const problems = [
        ...kind.nameProblems(name),
        ...descriptionProblems(description),
        ...tagProblems(tags),
      ];
      if (problems.length > 0) throw new InvalidArgumentError(problems);
      const { tenantId, userId: createdById } = caller;
      requireActiveProject(project, ['input', 'project']);
      const key = { project: project.identifier, name };
      await requireFreeName(caller, key, null);
      return await underName(caller, key, () =>
        inTransaction(async (tx) => {
          const row = { ...given, id: newId(), tenantId, projectId: project.id, createdById };
          const made = await kind.insert(tx, row, { project: key.project, projectState: project.state });
          await grantCreator(tx, caller, { type: kind.resourceType, id: row.id, name });
          return made;
        }),
      );
    },

    /**
     * Changes its name or its description. The grants stay, because they refer to its id.
     *
     * @throws InvalidArgumentError with all problems, or `NameUnavailable`, or if there are no changes;
     * AlreadyExistsError; FailedPreconditionError while it is deleted.
     */
    async update(caller: Caller, row: Row, { name, description }: TrackedChange): Promise<Row> {
      requireChanges(name !== null || description !== null);
      const problems = [
        ...(name === null ? [] : kind.nameProblems(name)),
        ...(description === null ? [] : descriptionProblems(description)),
      ];
      if (problems.length > 0) throw new InvalidArgumentError(problems);
      const key = { project: row.project, name: name ?? row.name };
      if (name !== null) await requireFreeName(caller, key, row.id);
      return await underName(caller, key, () =>
        change(row.id, (locked) => {
          requireChangeableRow(locked);
          return { name: name ?? locked.name, description: description ?? locked.description };
        }),
      );
    },

    /** Adds tags, or changes their values. @throws InvalidArgumentError, FailedPreconditionError while it is deleted. */
    async updateTags(id: string, tags: Tags): Promise<Row> {
      requireChanges(Object.keys(tags).length > 0);
      const problems = tagProblems(tags);
      if (problems.length > 0) throw new InvalidArgumentError(problems);
      return await change(id, (row) => {
        requireChangeableRow(row);
        return { tags: tagsWith(row.tags, tags) };
      });
    },

    /** Removes tags; unknown keys are ignored. @throws FailedPreconditionError while it is deleted. */
    async deleteTags(id: string, keys: readonly string[]): Promise<Row> {
      requireChanges(keys.length > 0);
      return await change(id, (row) => {
        requireChangeableRow(row);
        return { tags: tagsWithout(row.tags, keys) };
      });
    },

    /** Deletes it. It can be restored. @throws FailedPreconditionError if it is already deleted. Source: MLflow. */
    async remove(id: string, now: Date): Promise<Row> {
      return await change(id, (row) => {
        requireChangeableRow(row);
        return kind.deletion(now);
      });
    },

    /** @throws FailedPreconditionError if it is not deleted. */
    async restore(id: string): Promise<Row> {
      return await change(id, (row) => {
        requirePrivate(kind.name, row);
        if (!kind.isDeleted(row))
          throw new FailedPreconditionError(`the ${kind.name} is not deleted`, { current: 'ACTIVE' });
        return kind.deletion(null);
      });
    },

    /**
     * Lets everybody in every tenant read it and everything in it. While it is public nobody may change it, not even
     * its owner.
     *
     * @throws FailedPreconditionError if it is already public, or deleted. Source: ClearML's set public.
     */
    async publish(caller: Caller, id: string, now: Date): Promise<Row> {
      return await setPublic(caller, id, (row) => {
        if (row.publicAt)
          throw new FailedPreconditionError(`the ${kind.name} is already public`, { current: 'PUBLIC' });
        requireChangeableRow(row);
        return now;
      });
    },

    /** Makes it private again. @throws FailedPreconditionError if it is not public. */
    async unpublish(caller: Caller, id: string): Promise<Row> {
      return await setPublic(caller, id, (row) => {
        if (!row.publicAt)
          throw new FailedPreconditionError(`the ${kind.name} is not public`, { current: 'PRIVATE' });
        return null;
      });
    },

    /** @throws NotFoundError; PermissionDeniedError while it is public; FailedPreconditionError while it is deleted. */
    async lockChangeable(tx: Tx, id: string): Promise<Row> {
      const row = await lock(tx, id);
      requireChangeableRow(row);
      return row;
    },
  };
}
