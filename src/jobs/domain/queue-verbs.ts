import { isAtLeast, lower } from '../../authorization/domain/levels.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';

/**
 * Armada's verbs on queues. Each is a level of the one permission model, and a level includes the lower ones: who may
 * cancel may also reprioritize, preempt, submit and watch. Owners have MANAGE.
 */
const levelOf = {
  watch: 'READ',
  submit: 'USE',
  cancel: 'EDIT',
  reprioritize: 'EDIT',
  preempt: 'EDIT',
} as const satisfies Readonly<Record<string, Level>>;

export const queueVerbs = Object.keys(levelOf) as readonly (keyof typeof levelOf)[];
export const subjectKinds = ['User', 'Group'] as const;
type SubjectKind = (typeof subjectKinds)[number];

/** All verbs that a level allows; none for NO_PERMISSIONS. */
export const verbsOf = (level: Level): string[] =>
  queueVerbs.filter((verb) => isAtLeast(level, levelOf[verb]));

/** Who may do what on a queue, by names. Source: Armada's queue. */
export interface QueueRights {
  readonly userOwners: readonly string[];
  readonly groupOwners: readonly string[];
  readonly permissions: readonly {
    readonly subjects: readonly { readonly kind: string; readonly name: string }[];
    readonly verbs: readonly string[];
  }[];
}

/** A level of a user or group that an input names, and the place in the input. */
export interface NamedRight {
  readonly kind: SubjectKind;
  readonly name: string;
  readonly level: Level;
  readonly path: readonly string[];
}

/** How many users and groups one input may name. */
const MAX_SUBJECTS = 200;

/** The rights that an input describes, and what is wrong with it. Unknown users and groups are found later. */
export function rightsIn(
  { userOwners, groupOwners, permissions }: QueueRights,
  path: readonly string[],
): { rights: NamedRight[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string) =>
    problems.push({ path: [...path, ...at], code: 'InvalidValue', message });
  const owners = (field: 'userOwners' | 'groupOwners', kind: SubjectKind, names: readonly string[]) =>
    names.map((name, at): NamedRight => {
      return { kind, name, level: 'MANAGE', path: [...path, field, String(at)] };
    });
  const count =
    userOwners.length +
    groupOwners.length +
    permissions.reduce((sum, { subjects }) => sum + Math.max(subjects.length, 1), 0);
  if (count > MAX_SUBJECTS) {
    fault(['permissions'], `a queue can name at most ${MAX_SUBJECTS} users and groups`);
    return { rights: [], problems };
  }
  const rights = [
    ...owners('userOwners', 'User', userOwners),
    ...owners('groupOwners', 'Group', groupOwners),
  ];
  for (const [index, { subjects, verbs }] of permissions.entries()) {
    const at = ['permissions', String(index)];
    if (subjects.length === 0) fault([...at, 'subjects'], 'name at least one user or group');
    if (verbs.length === 0) fault([...at, 'verbs'], 'name at least one verb');
    for (const [position, verb] of verbs.slice(0, MAX_SUBJECTS).entries())
      if (!isVerb(verb))
        fault(
          [...at, 'verbs', String(position)],
          `there is no such verb; the verbs are ${queueVerbs.join(', ')}`,
        );
    const known = verbs.filter(isVerb);
    const level = known.map((verb) => levelOf[verb]).reduce<Level>(higher, 'NO_PERMISSIONS');
    for (const [position, { kind, name }] of subjects.entries()) {
      const here = [...at, 'subjects', String(position)];
      if (isKind(kind)) rights.push({ kind, name, level, path: [...path, ...here, 'name'] });
      else fault([...here, 'kind'], 'the kind must be User or Group');
    }
  }
  return { rights, problems };
}

const isVerb = (verb: string): verb is keyof typeof levelOf => Object.hasOwn(levelOf, verb);
const isKind = (kind: string): kind is SubjectKind => subjectKinds.some((one) => one === kind);

/** Of two levels, the higher one counts: a user can be named more than once. */
export const higher = (one: Level, other: Level): Level => (lower(one, other) === one ? other : one);
