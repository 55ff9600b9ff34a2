import { builder } from './builder.ts';

export const LevelEnum = builder.enumType('Level', {
  description: 'What somebody may do with a resource; each includes those before it.',
  values: {
    NO_PERMISSIONS: { description: 'Nothing: it looks absent.' },
    READ: { description: 'Look at it and at what is in it.' },
    USE: { description: 'Run it, submit to it, take it as an input.' },
    EDIT: { description: 'Change it.' },
    MANAGE: { description: 'Delete and restore it, and say who may do what with it.' },
  } as const,
});
