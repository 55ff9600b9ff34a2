import type { ObjectKind } from '../platform/object-kinds.ts';
import { builder } from './builder.ts';

const descriptions: Readonly<Record<ObjectKind, string>> = {
  'access key': 'A credential of a program. Its name is the key, never the secret.',
  alias: 'A name that points to one version of a registered model.',
  challenge: 'What a login app or a consent app is asked.',
  'consent session': 'What a person has allowed an OAuth 2 client.',
  'description entity': 'What one version of a task or workflow says about itself.',
  execution: 'One launch of a launch plan.',
  executor: 'A program that leases jobs and runs them.',
  experiment: 'An experiment: a collection of runs to compare with each other.',
  file: 'A file that is stored on the server.',
  grant: 'A level of one user or group on one resource.',
  group: 'A group of users.',
  job: 'A unit of work on a queue.',
  'job run': 'One lease of a job.',
  'job set': 'Jobs that are watched and cancelled together.',
  'json web key': 'A key of a set of keys.',
  'json web key set': 'A named set of keys, which sign or encrypt.',
  'identity link': 'The account of a user at an identity provider.',
  'identity provider': 'An outside issuer of OpenID Connect with which people sign in.',
  'jwt grant issuer': 'An issuer whose JWTs clients may exchange for tokens.',
  'launch plan': 'A way to launch a workflow, with its default and fixed inputs.',
  'login session': 'The session of a browser in which a person has signed in.',
  'matchable attributes': 'What applies to everything in a project, a domain or a workflow.',
  'model version': 'One version of a registered model.',
  'named entity': 'The name that all versions of a task, workflow or launch plan share.',
  node: 'A machine of an executor.',
  'node execution': 'One node of an execution.',
  notification: 'A notification about the end of an execution.',
  'oauth2 client': 'A program that asks for tokens.',
  object: 'An object of any type, as `node` looks for it.',
  project: 'A project, which contains workflows, experiments, models and queues.',
  queue: 'A queue, where jobs wait for executors.',
  'registered model': 'A model, with its numbered versions.',
  'retry policy': 'Rules that say which failed jobs of a queue run again.',
  run: 'One trial of an experiment.',
  signal: 'What a gate of an execution waits for.',
  task: 'A task, which the nodes of workflows run.',
  'task execution': 'One attempt at the task of a node.',
  tenant: 'A company or team, and everything that belongs to it.',
  user: 'A person or a program that signs in.',
  workflow: 'All versions of one workflow.',
};

/** `registered model` is REGISTERED_MODEL in the API. */
const nameOf = (kind: string) => kind.toUpperCase().replaceAll(' ', '_');

export const ObjectKindEnum = builder.enumType('ObjectKind', {
  description: 'A kind of object, as errors and the audit log name it.',
  values: Object.fromEntries(
    Object.entries(descriptions).map(([value, description]) => [
      nameOf(value),
      { value: value as ObjectKind, description },
    ]),
  ),
});
