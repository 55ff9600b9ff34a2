import { createRequire } from 'node:module';
import { builder } from '../graphql/builder.ts';
import type { Capability } from '../graphql/capability.ts';
import { can } from '../graphql/rules.ts';

// The path is the same from src/ and from dist/.
const { version: release } = createRequire(import.meta.url)('../../package.json') as {
  version: string;
};

const VersionType = builder.objectRef<{ version: string }>('Version').implement({
  description: 'The release of Slipway that runs on the server.',
  fields: (t) => ({
    version: t.exposeString('version', {
      description: 'The number of the release, such as `0.1.0`.',
    }),
  }),
});

builder.queryField('version', (t) =>
  t.field({
    type: VersionType,
    nullable: true,
    description: 'The release that runs on this server.',
    resolve: () => ({ version: release }),
  }),
);

export const version: Capability = { rules: [{ Query: { version: can('version:read') } }] };
