import { builder } from '../graphql/builder.ts';
import { nameSubjects } from '../graphql/name-subjects.ts';
import '../graphql/scalars.ts';
import './task-execution-job.ts';
import { capabilities } from './capabilities.ts';
import { guardFields } from './guards.ts';
import { nodeRules } from './node.ts';
import { mergeRules } from './permissions.ts';

/** Who may call which root field: the tables of all capabilities in one. */
export const rules = mergeRules([...capabilities.flatMap((capability) => capability.rules), nodeRules]);

/** The schema with its guards. If it cannot be built, the process does not start. */
export const schema = builder.toSchema();
nameSubjects(schema);
guardFields(schema, rules);
