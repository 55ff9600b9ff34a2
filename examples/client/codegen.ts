import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['src/**/*.ts', '!src/generated/**'],
  silent: true,
  generates: {
    // Typed documents: what an operation asks is what its result has.
    'src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        // A scalar without a type here is a mistake, not an `any`.
        strictScalars: true,
        scalars: { DateTime: 'string', Duration: 'string', BigInt: 'string', JSON: 'unknown' },
        emitLegacyCommonJSImports: false,
        importExtension: '.ts',
      },
    },
    // The members of unions and interfaces, for caches such as Apollo Client's.
    'src/generated/possible-types.ts': { plugins: ['./possible-types-plugin.cjs'] },
  },
};

export default config;
