import type { ResourceType } from '../generated/prisma/enums.ts';

/** All kinds of objects that messages and the audit log name. */
export const objectKinds = [
  'access key',
  'alias',
  'challenge',
  'consent session',
  'description entity',
  'execution',
  'executor',
  'experiment',
  'file',
  'grant',
  'group',
  'identity link',
  'identity provider',
  'job',
  'job run',
  'job set',
  'json web key',
  'json web key set',
  'jwt grant issuer',
  'launch plan',
  'login session',
  'matchable attributes',
  'model version',
  'named entity',
  'node',
  'node execution',
  'notification',
  'oauth2 client',
  'object',
  'project',
  'queue',
  'registered model',
  'retry policy',
  'run',
  'signal',
  'task',
  'task execution',
  'tenant',
  'user',
  'workflow',
] as const;

export type ObjectKind = (typeof objectKinds)[number];

/** The kind of object of each type of resource. */
export const kindOf: Readonly<Record<ResourceType, ObjectKind>> = {
  TENANT: 'tenant',
  PROJECT: 'project',
  EXPERIMENT: 'experiment',
  REGISTERED_MODEL: 'registered model',
  WORKFLOW: 'workflow',
  QUEUE: 'queue',
};
