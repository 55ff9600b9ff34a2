import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type PrismaTypes from '../generated/pothos.ts';
import { getDatamodel } from '../generated/pothos.ts';
import { baseConfig } from '../platform/config/base.ts';
import { db } from '../platform/database/client.ts';
import type { Context } from './context.ts';

/** Any JSON value but null, which GraphQL has a word of its own for. */
export type Json = string | number | boolean | object;

const firstUpper = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** The errors plugin stands first: what another plugin throws then still reaches the result union. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
  PrismaTypes: PrismaTypes;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    /** Milliseconds. */
    Duration: { Input: number; Output: number };
    BigInt: { Input: bigint; Output: bigint | number };
    JSON: { Input: Json; Output: unknown };
  };
}>({
  plugins: [ErrorsPlugin, RelayPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    defaultUnionOptions: {
      name: ({ fieldName }) => `${firstUpper(fieldName)}Result`,
    },
  },
  relay: { nodeQueryOptions: false, nodesQueryOptions: false },
  prisma: {
    client: db,
    dmmf: getDatamodel(),
    exposeDescriptions: false,
    filterConnectionTotalCount: true,
    onUnusedQuery: baseConfig.test ? 'error' : null,
  },
});

builder.queryType({
  description: 'What can be asked. Every field needs a caller unless it says otherwise.',
});
builder.mutationType({
  description:
    'What can be changed. Each field answers its payload or one of the errors that it names; a refusal by the rules is a top-level error.',
});
builder.subscriptionType({
  description: 'What can be watched, over Server-Sent Events or WebSocket (graphql-transport-ws).',
});
