import type { CacheStatus } from '../../generated/prisma/enums.ts';
import { enumOf } from '../../graphql/enum.ts';

export const CacheStatusEnum = enumOf<CacheStatus>(
  'CacheStatus',
  'What became of the cached outputs of a node.',
  {
    DISABLED: 'Its outputs are not cached.',
    MISS: 'The cache had no outputs for these inputs.',
    HIT: 'Its outputs come from the cache, and its task did not run.',
    POPULATED: 'Its outputs were computed, and are in the cache now.',
    LOOKUP_FAILURE: 'The cache could not be read, so the task ran.',
    PUT_FAILURE: 'The outputs were computed, but could not be stored in the cache.',
    SKIPPED: 'The cache was not asked, because the execution computes everything anew.',
    EVICTED: 'Its outputs were in the cache, and were removed.',
  },
);
