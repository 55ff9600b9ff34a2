import type { CodegenConfig } from '@graphql-codegen/cli';

const scalars = { DateTime: 'string', Duration: 'string', BigInt: 'string', JSON: 'unknown' };

const options = {
  useTypeImports: true,
  enumsAsTypes: true,
  strictScalars: true,
  scalars,
  emitLegacyCommonJSImports: false,
  importExtension: '.ts' as const,
};

/**
 * Generates typed documents from `schema.graphql`: for the executor, the command line and the doors, which use only the
 * schema of the server, and for tests with other clients, which need documents as syntax trees.
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
      config: { ...options, documentMode: 'string' },
    },
    'src/generated/cli/': {
      documents: ['src/cli/**/*.ts', '!src/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...options, documentMode: 'string' },
    },
    'src/generated/doors/': {
      documents: ['src/doors/**/*.ts', '!src/generated/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...options, documentMode: 'string' },
    },
    'test/generated/': {
      documents: ['test/clients/**/*.ts'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: options,
    },
  },
};

export default config;
