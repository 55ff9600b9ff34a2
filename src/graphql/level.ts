import type { Level } from '../generated/prisma/enums.ts';
import { enumOf } from './enum.ts';

export const LevelEnum = enumOf<Level>(
  'Level',
  'How much a user may do with a resource. Each level includes the ones before it.',
  {
    NO_PERMISSIONS: 'Nothing: the resource looks absent.',
    READ: 'See the resource and what it holds.',
    USE: 'Run it, submit jobs to it, or take it as an input.',
    EDIT: 'Change it.',
    MANAGE: 'Delete and restore it, and grant levels on it.',
  },
);
