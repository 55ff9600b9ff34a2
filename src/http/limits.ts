import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { serverConfig } from '../platform/config/server.ts';
import { limitRefusals } from '../platform/metrics.ts';

/** How deep brackets may be nested. A deeper document has values that no input accepts. */
const MAX_NESTING = 512;

/** Tokens, depth, aliases and directives are checked before anything reads the database. */
export function documentLimits(): Plugin[] {
  const {
    queryTokenLimit: tokens,
    queryDepthLimit: depth,
    queryAliasLimit: aliases,
    queryDirectiveLimit: directives,
  } = serverConfig;
  return [
    maxTokensPlugin({
      n: tokens,
      onReject: [refuse('tokens', `a document must have at most ${tokens} tokens`)],
    }),
    boundedNesting(),
    maxDepthPlugin({
      n: depth,
      ignoreIntrospection: true,
      onReject: [refuse('depth', `an operation must be at most ${depth} fields deep`)],
    }),
    maxAliasesPlugin({
      n: aliases,
      onReject: [refuse('aliases', `an operation must have at most ${aliases} aliases`)],
    }),
    maxDirectivesPlugin({
      n: directives,
      onReject: [refuse('directives', `an operation must have at most ${directives} directives`)],
    }),
  ] as unknown as Plugin[];
}

/** GraphQL's parser calls itself for each opening bracket, so a very deep document would exhaust the stack. */
function boundedNesting(): Plugin {
  const reject = refuse('nesting', `brackets in a document must be nested at most ${MAX_NESTING} deep`);
  return {
    onParse({ parseFn, setParseFn }) {
      setParseFn((source, options) => {
        if (nestsDeeper(source, MAX_NESTING)) reject();
        return parseFn(source, options);
      });
    },
  };
}

const opening: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Works also for a text that is not GraphQL, up to the place of the error. */
function nestsDeeper(source: string | Source, levels: number): boolean {
  const lexer = new Lexer(typeof source === 'string' ? new Source(source) : source);
  let depth = 0;
  try {
    // The parser refuses texts with more tokens.
    for (let tokens = 0; tokens <= serverConfig.queryTokenLimit; tokens += 1) {
      const { kind } = lexer.advance();
      if (kind === TokenKind.EOF) break;
      if (opening.has(kind)) depth += 1;
      else if (closing.has(kind)) depth -= 1;
      if (depth > levels) return true;
    }
  } catch {
    // The parser will report the error.
  }
  return false;
}

/** Replaces the error of the plugin, which has no code. */
function refuse(limit: string, message: string) {
  return () => {
    limitRefusals.inc({ limit });
    throw new GraphQLError(message, { extensions: { code: 'RESOURCE_EXHAUSTED' } });
  };
}
