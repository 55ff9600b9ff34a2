import type { Capability } from '../graphql/capability.ts';
import { jobLoaders } from './loaders.ts';
import { jobRules } from './rules.ts';
import './graphql/queue.ts';
import './graphql/job.ts';
import './graphql/lease.ts';

export const jobs: Capability = {
  rules: [jobRules],
  loaders: jobLoaders,
};
