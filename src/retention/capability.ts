import type { Capability } from '../graphql/capability.ts';
import { retentionRules } from './rules.ts';
import './graphql/delete-executions.ts';
import './graphql/retention.ts';
import './graphql/retention-report.ts';

export const retention: Capability = { rules: [retentionRules] };
