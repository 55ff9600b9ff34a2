import type { Capability } from '../graphql/capability.ts';
import { attributeRules } from './rules.ts';
import './graphql/matchable-attributes.ts';

export const attributes: Capability = { rules: [attributeRules] };
