import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type PrismaTypes from '../generated/pothos.ts';
import { getDatamodel } from '../generated/pothos.ts';
import { baseConfig } from '../platform/config/base.ts';
import { db } from '../platform/database/client.ts';
import type { Context } from './context.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './keyset.ts';

/** Any JSON value except null, for which GraphQL has its own word. */
export type Json = string | number | boolean | object;

const firstUpper = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** The errors plugin comes first, so that errors of the other plugins also become members of the result union. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
  PrismaTypes: PrismaTypes;
  /** Every connection can count its list; src/graphql/connection.ts creates them. */
  Connection: { readonly count: () => Promise<number> };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    /** In milliseconds. */
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
      description:
        'What the mutation answers: its payload when it succeeds, otherwise the error that stopped it.',
    },
  },
  relay: {
    // `node` and `nodes` are our own fields (src/api/node.ts). The fields of the plugin would skip the rules of the
    // types.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodesOnConnection: { description: 'The objects of this page, without their cursors.' },
    cursorFieldOptions: {
      description: 'The position of the object in the list. Pass it as `after` or `before`.',
    },
    nodeFieldOptions: { description: 'The object at this position of the list.' },
    edgesFieldOptions: { description: 'The objects of this page, each with its cursor.' },
    pageInfoFieldOptions: {
      description: 'Whether more objects come before or after this page, and its cursors.',
    },
    pageInfoTypeOptions: { description: 'The position of a page in its list.' },
    hasNextPageFieldOptions: { description: 'Whether more objects follow this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether objects come before this page.' },
    startCursorFieldOptions: { description: 'The cursor of the first object; null on an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last object; null on an empty page.' },
    firstArgOptions: {
      description: `How many objects, from the beginning or after \`after\`: 1 to ${MAX_PAGE}. If \`first\` and \`last\` are left out: ${DEFAULT_PAGE}.`,
    },
    afterArgOptions: { description: 'Only objects that follow this cursor.' },
    lastArgOptions: {
      description: `How many objects, from the end or before \`before\`: 1 to ${MAX_PAGE}. Not together with \`first\`.`,
    },
    beforeArgOptions: { description: 'Only objects that come before this cursor.' },
  },
  prisma: {
    client: db,
    dmmf: getDatamodel(),
    onUnusedQuery: baseConfig.test ? 'error' : null,
  },
});

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'How many objects the whole list has. Counted only when it is selected.',
    resolve: ({ count }) => count(),
  }),
);

builder.queryType({
  description: 'The queries. Each field requires a sign-in unless its description says otherwise.',
});
builder.mutationType({
  description:
    'The mutations. Each field answers its payload, or one of the errors of its union. If you may not call a field, the answer is a top-level error.',
});
builder.subscriptionType({
  description: 'The subscriptions, over Server-Sent Events or WebSocket (graphql-transport-ws).',
});
