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
 * Experiments and registered models live the same life: they are made in a project under a free name, renamed, described
 * and tagged; deleted, when they keep their name, contents and grants, and restored; published, when every tenant may
 * read them and nobody may change them, and made private again. What differs is said once for each kind, in `Kind`.
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
  /** The project's identifier. */
  readonly project: string;
}

export interface TrackedKey {
  readonly project: string;
  readonly name: string;
}

/** What is common to the columns of all kinds. */
interface NewRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Tags;
  readonly createdById: string;
}

/** What a row tells of its project. */
interface ProjectColumns {
  readonly project: string;
  readonly projectState: ProjectState;
}

interface Kind<Row extends TrackedRow, Changes> {
  /** What people call it. */
  readonly name: 'experiment' | 'registered model';
  readonly resourceType: 'EXPERIMENT' | 'REGISTERED_MODEL';
  readonly publish: Permission;
  targetOf(row: Row): Target;
  nameProblems(name: string): Problem[];
  isDeleted(row: Row): boolean;
  /** How the columns say that it is deleted since `at`; null: that it is not. */
  deletion(at: Date | null): Changes;
  find(tenantId: string, key: TrackedKey): Promise<Row | null>;
  /** Holds the row until commit. */
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
  /** Null: as it is. */
  readonly name: string | null;
  readonly description: string | null;
}

/** The columns that every kind has, as its changes may name them. */
interface CommonChanges {
  name?: string;
  description?: string;
  tags?: Tags;
  publicAt?: Date | null;
}

/** The commands over one kind of row. */
export type Lifecycle<Row extends TrackedRow> = ReturnType<typeof lifecycleOf<Row, never>>;

/** The commands over one kind. Those that change a row hold it from the decision to the commit. */
export function lifecycleOf<Row extends TrackedRow, Changes>(kind: Kind<Row, Changes | CommonChanges>) {
  const notFound = (id: string) => new NotFoundError(kind.name, id);

  /** @throws PermissionDeniedError while it is public, FailedPreconditionError while it is deleted. */
  const requireChangeableRow = (row: Row) =>
    requireChangeable(kind.name, { isDeleted: kind.isDeleted(row), publicAt: row.publicAt });

  /** @throws NotFoundError when it is gone. */
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

  /** Looks before writing, so that a taken name and a reserved one cost the same. */
  async function requireFreeName(caller: Caller, key: TrackedKey, ownId: string | null): Promise<void> {
    const holder = await kind.find(caller.tenantId, key);
    if (holder ? holder.id !== ownId : isReservedName(key.name)) throw await taken(caller, key, holder);
  }

  /** Does `write`, and answers a unique violation like a name that was taken before: another caller was quicker. */
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
     * Makes one in a project. The caller manages it.
     *
     * @throws InvalidArgumentError with every fault, or `NameUnavailable`; AlreadyExistsError for a name of something
     * that the caller may read, deleted or not. Source: MLflow's create experiment and create registered model.
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
     * Renames it, or describes it anew. Grants are on its id and stay.
     *
     * @throws InvalidArgumentError with every fault, or `NameUnavailable`, or when nothing is given; AlreadyExistsError;
     * FailedPreconditionError while it is deleted.
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

    /** Deletes it until it is restored. @throws FailedPreconditionError when it is deleted already. Source: MLflow. */
    async remove(id: string, now: Date): Promise<Row> {
      return await change(id, (row) => {
        requireChangeableRow(row);
        return kind.deletion(now);
      });
    },

    /** @throws FailedPreconditionError when it is not deleted. */
    async restore(id: string): Promise<Row> {
      return await change(id, (row) => {
        requirePrivate(kind.name, row);
        if (!kind.isDeleted(row))
          throw new FailedPreconditionError(`the ${kind.name} is not deleted`, { current: 'ACTIVE' });
        return kind.deletion(null);
      });
    },

    /**
     * Lets everyone of every tenant read it and what it holds. Meanwhile nobody may change it, not even its owner.
     *
     * @throws FailedPreconditionError when it is public already, or deleted. Source: ClearML's set public.
     */
    async publish(caller: Caller, id: string, now: Date): Promise<Row> {
      return await setPublic(caller, id, (row) => {
        if (row.publicAt)
          throw new FailedPreconditionError(`the ${kind.name} is public already`, { current: 'PUBLIC' });
        requireChangeableRow(row);
        return now;
      });
    },

    /** Makes it private again. @throws FailedPreconditionError when it is not public. */
    async unpublish(caller: Caller, id: string): Promise<Row> {
      return await setPublic(caller, id, (row) => {
        if (!row.publicAt)
          throw new FailedPreconditionError(`the ${kind.name} is not public`, { current: 'PRIVATE' });
        return null;
      });
    },

    /** @throws NotFoundError, PermissionDeniedError while it is public, FailedPreconditionError while it is deleted. */
    async lockChangeable(tx: Tx, id: string): Promise<Row> {
      const row = await lock(tx, id);
      requireChangeableRow(row);
      return row;
    },
  };
}
