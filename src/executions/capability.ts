import type { Capability } from '../graphql/capability.ts';
import { executionLoaders } from './loaders.ts';
import { executionRules } from './rules.ts';
import './graphql/execution.ts';
import './graphql/node-execution.ts';
import './graphql/task-execution.ts';
import './graphql/execution-event.ts';

export const executions: Capability = {
  rules: [executionRules],
  loaders: executionLoaders,
};
