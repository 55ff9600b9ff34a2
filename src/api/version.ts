import { createRequire } from 'node:module';
import { builder } from '../graphql/builder.ts';

// The package's own description, found from src/ and from dist/ alike.
const { version } = createRequire(import.meta.url)('../../package.json') as {
  version: string;
};

const VersionType = builder.objectRef<{ version: string }>('Version').implement({
  fields: (t) => ({
    version: t.exposeString('version', {
      description: 'The release of Slipway.',
    }),
  }),
});

builder.queryField('version', (t) =>
  t.field({
    type: VersionType,
    nullable: true,
    description: 'Which release answers.',
    resolve: () => ({ version }),
  }),
);
