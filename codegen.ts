import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * From `schema.graphql` to typed documents: for the executor, which knows nothing of the server but its schema, and for
 * the tests.
 */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  silent: true,
  ignoreNoDocuments: true,
  generates: {
    'src/generated/executor/': {
      documents: ['src/executor/**/*.ts', '!src/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: {
          DateTime: 'string',
          Duration: 'string',
          BigInt: 'string',
          JSON: 'unknown',
        },
        emitLegacyCommonJSImports: false,
        importExtension: '.ts',
      },
    },
  },
};

export default config;
