import { recordChange } from '../../authorization/audit.ts';
import type { Resource } from '../../authorization/domain/resources.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, PermissionDeniedError, type Problem } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { type NewToken, newToken } from '../new-token.ts';

const MAX_RESOURCES = 50;

/**
 * Issues a token for the caller of the request, with the same access key behind it. If the caller signed in with a
 * token, this renews it: its limit to resources can be kept or made narrower.
 *
 * @param resources  the resources that the token is limited to; null means the same limit as the sign-in.
 * @throws InvalidArgumentError if the time or the resources are not possible; PermissionDeniedError for resources
 * outside the limit of the sign-in.
 */
export async function login(
  caller: Caller,
  { expiresInMs, resources }: { expiresInMs: number | null; resources: readonly Resource[] | null },
): Promise<NewToken> {
  if (resources) requireResources(resources);
  const confinedTo = resources ?? caller.confinedTo;
  if (resources && caller.confinedTo && !isWithin(resources, caller.confinedTo))
    throw new PermissionDeniedError('the token that you signed in with is limited to other resources');
  const made = await newToken(caller, caller, { expiresInMs, confinedTo });
  const { userId: id, username: name, method } = caller;
  const after = { method, sessionId: made.sessionId, expiresAt: made.expiresAt, confinedTo };
  await inTransaction((tx) =>
    recordChange(tx, caller, { action: 'session:login', target: { type: 'user', id, name }, after }),
  );
  logOf(caller).info({ credentialId: caller.credentialId, sessionId: made.sessionId }, 'signed in');
  return made;
}

/** @throws InvalidArgumentError with all problems. */
function requireResources(resources: readonly Resource[]): void {
  const problems: Problem[] = [];
  const fault = (path: readonly string[], message: string) =>
    problems.push({ path: ['input', 'resources', ...path], code: 'InvalidValue', message });
  if (resources.length < 1 || resources.length > MAX_RESOURCES)
    fault([], `must have 1 to ${MAX_RESOURCES} resources`);
  for (const [index, { type, id }] of resources.slice(0, MAX_RESOURCES).entries()) {
    if (type === 'TENANT')
      fault(
        [String(index), 'type'],
        'this is not a resource; for a token without this limit, leave resources out',
      );
    if (!isId(id)) fault([String(index), 'id'], 'this is not an id');
  }
  if (problems.length > 0) throw new InvalidArgumentError(problems);
}

const isWithin = (wanted: readonly Resource[], limit: readonly Resource[]): boolean =>
  wanted.every(({ type, id }) => limit.some((allowed) => allowed.type === type && allowed.id === id));
