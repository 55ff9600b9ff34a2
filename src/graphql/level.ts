import type { Level } from '../generated/prisma/enums.ts';
import { enumOf } from './enum.ts';

export const LevelEnum = enumOf<Level>(
  'Level',
  'How much a user may do with a resource. Each level includes the ones before it.',
  {
    NO_PERMISSIONS: 'Nothing. The resource seems not to exist.',
    READ: 'See the resource and everything in it.',
    USE: 'Launch it, submit jobs to it, and upload files to it.',
    EDIT: 'Change it, register versions in it, and terminate its executions.',
    MANAGE: 'Delete, restore and publish it, and grant levels on it.',
  },
);
