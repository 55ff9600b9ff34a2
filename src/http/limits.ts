import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { serverConfig } from '../platform/config/server.ts';
import { limitRefusals } from '../platform/metrics.ts';

/** Tokens, depth, aliases and directives are bounded before anything is asked of the database. */
export function documentLimits(): Plugin[] {
  const {
    queryTokenLimit: tokens,
    queryDepthLimit: depth,
    queryAliasLimit: aliases,
    queryDirectiveLimit: directives,
  } = serverConfig;
  return [
    maxTokensPlugin({ n: tokens, onReject: [refuse('tokens', `a document has at most ${tokens} tokens`)] }),
    maxDepthPlugin({
      n: depth,
      ignoreIntrospection: true,
      onReject: [refuse('depth', `an operation is at most ${depth} fields deep`)],
    }),
    maxAliasesPlugin({
      n: aliases,
      onReject: [refuse('aliases', `an operation has at most ${aliases} aliases`)],
    }),
    maxDirectivesPlugin({
      n: directives,
      onReject: [refuse('directives', `an operation has at most ${directives} directives`)],
    }),
  ] as unknown as Plugin[];
}

/** Thrown in place of the plugin's own error, which has no code. */
function refuse(limit: string, message: string) {
  return () => {
    limitRefusals.inc({ limit });
    throw new GraphQLError(message, { extensions: { code: 'RESOURCE_EXHAUSTED' } });
  };
}
