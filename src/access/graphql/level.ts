import { builder } from '../../graphql/builder.ts';

export const LevelEnum = builder.enumType('Level', {
  description: 'What somebody may do on a resource; each level includes those before it.',
  values: {
    NO_PERMISSIONS: { description: 'Nothing: it looks absent.' },
    READ: { description: 'See it.' },
    USE: { description: 'Run it, submit to it, refer to it.' },
    EDIT: { description: 'Change it and what is in it.' },
    MANAGE: { description: 'Delete it, and say who may do what on it.' },
  } as const,
});
