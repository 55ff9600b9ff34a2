import { isAllowed } from '../../authorization/can.ts';
import { type NamedGrant, subjectKey } from '../../authorization/replace-grants.ts';
import { groupReader, readGroups } from '../../authorization/store/groups.ts';
import { readUsers } from '../../identity/store/users.ts';
import type { Caller } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { type QueueRequest, queueProblems, storedLimits } from '../domain/queue-settings.ts';
import { higher, type NamedRight, rightsIn } from '../domain/queue-verbs.ts';
import type { QueueColumns } from '../store/queue-writes.ts';

/** A queue that is ready to be stored, except for the check of its retry policies, which needs a transaction. */
export interface ResolvedQueue {
  readonly columns: QueueColumns;
  /** The grants of the users and groups that the request names. */
  readonly grants: readonly NamedGrant[];
}

/**
 * Checks the whole description of a queue, and finds the users and groups that it names.
 *
 * @param path  of the queue in the input.
 * @param more  problems that are already known.
 * @throws InvalidArgumentError with all problems.
 */
export async function resolveQueue(
  caller: Caller,
  request: QueueRequest,
  path: readonly string[],
  more: readonly Problem[] = [],
): Promise<ResolvedQueue> {
  const { rights, problems: inRights } = rightsIn(request, path);
  const { grants, problems: unknown } = await findSubjects(caller, rights);
  const ofQueue = queueProblems(request, controlPlaneConfig.priorityClasses, path);
  const problems = [...more, ...ofQueue, ...inRights, ...unknown];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { priorityFactor, cordoned, cordonReason, labels, limits, retryPolicies } = request;
  return {
    columns: {
      ...{ priorityFactor, cordoned, cordonReason, labels: { ...labels } },
      ...{ resourceLimits: storedLimits(limits), retryPolicies: [...retryPolicies] },
    },
    grants,
  };
}

/**
 * Any user and group of the tenant can be named, as in grants. If one is named several times, the highest level counts.
 */
async function findSubjects(
  caller: Caller,
  rights: readonly NamedRight[],
): Promise<{ grants: NamedGrant[]; problems: Problem[] }> {
  const { tenantId } = caller;
  const users = rights.filter(({ kind }) => kind === 'User');
  const groups = rights.filter(({ kind }) => kind === 'Group');
  const [people, teams] = await Promise.all([
    users.length > 0
      ? readUsers(users.map(({ name }) => ({ tenantId, by: { username: name } })))
      : Promise.resolve([]),
    groups.length > 0
      ? readGroups(
          groupReader(caller),
          groups.map(({ name }) => ({ name })),
        )
      : Promise.resolve([]),
  ]);
  const found = [
    ...users.map((right, at) => {
      const user = people[at];
      return { right, subject: user ? { userId: user.id, name: user.username } : null };
    }),
    ...groups.map((right, at) => {
      const group = teams[at];
      return { right, subject: group ? { groupId: group.id, name: group.name } : null };
    }),
  ];
  const bySubject = new Map<string, NamedGrant>();
  const problems: Problem[] = [];
  for (const { right, subject } of found) {
    const { kind, name, level, path } = right;
    if (!subject) {
      problems.push({ path, code: 'NotFound', message: `${kind.toLowerCase()} ${name} not found` });
      continue;
    }
    const key = subjectKey({ subject });
    bySubject.set(key, { subject, level: higher(bySubject.get(key)?.level ?? level, level) });
  }
  return { grants: [...bySubject.values()], problems };
}

/**
 * Checks that these retry policies exist. Callers who may not see retry policies can only name those that the queue
 * already has, so that they cannot guess the names of others.
 *
 * @param known  the names that exist, from `keepRetryPolicies`.
 * @param attached  the policies that the queue has now.
 * @throws InvalidArgumentError with all unknown names.
 */
export async function requireRetryPolicies(
  caller: Caller,
  names: readonly string[],
  known: ReadonlySet<string>,
  attached: readonly string[],
  path: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const seesAll = await isAllowed(caller, 'retryPolicy:read');
  const problems = names.flatMap((name, at): Problem[] =>
    known.has(name) && (seesAll || attached.includes(name))
      ? []
      : [
          {
            path: [...path, 'retryPolicies', String(at)],
            code: 'NotFound',
            message: `retry policy ${name} not found`,
          },
        ],
  );
  if (problems.length > 0) throw new InvalidArgumentError(problems);
}
