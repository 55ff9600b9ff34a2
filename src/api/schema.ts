import { builder } from '../graphql/builder.ts';
import '../graphql/scalars.ts';
import './task-execution-job.ts';
import { capabilities } from './capabilities.ts';
import { guardFields } from './guards.ts';
import { mergeRules } from './permissions.ts';

/** Who may call which root field: the tables of all capabilities in one. */
export const rules = mergeRules(capabilities.flatMap((capability) => capability.rules));

/** The schema with its guards. If it cannot be built, the process does not start. */
export const schema = builder.toSchema();
guardFields(schema, rules);
