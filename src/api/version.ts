import { createRequire } from 'node:module';
import { builder } from '../graphql/builder.ts';
import type { Capability } from '../graphql/capability.ts';
import { can } from '../graphql/rules.ts';
import { type BuildInfo, readBuildInfo } from './build-info.ts';

// The path is the same from src/ and from dist/.
const { version: release } = createRequire(import.meta.url)('../../package.json') as {
  version: string;
};

const build = readBuildInfo(new URL('../build.json', import.meta.url));

const VersionType = builder.objectRef<BuildInfo & { readonly version: string }>('Version').implement({
  description: 'The release of Slipway that runs on the server.',
  fields: (t) => ({
    version: t.exposeString('version', {
      description: 'The number of the release, such as `0.1.0`.',
    }),
    build: t.exposeString('build', {
      description:
        'The commit of which the server was built, with `-dirty` behind it if files had been changed; empty if it is not known.',
    }),
    buildTime: t.expose('buildTime', {
      type: 'DateTime',
      nullable: true,
      description: 'When the server was built; null if it is not known.',
    }),
  }),
});

builder.queryField('version', (t) =>
  t.field({
    type: VersionType,
    nullable: true,
    description: 'The release that runs on this server.',
    resolve: () => ({ version: release, ...build }),
  }),
);

export const version: Capability = { rules: [{ Query: { version: can('version:read') } }] };
