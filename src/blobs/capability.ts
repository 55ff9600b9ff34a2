import type { Capability } from '../graphql/capability.ts';
import { blobLoaders } from './loaders.ts';
import { blobRules } from './rules.ts';
import './graphql/blob.ts';

export const blobs: Capability = {
  rules: [blobRules],
  loaders: blobLoaders,
};
