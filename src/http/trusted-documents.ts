import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GraphQLError } from 'graphql';
import { z } from 'zod';
import * as cliDocuments from '../generated/cli/graphql.ts';
import * as executorDocuments from '../generated/executor/graphql.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { serverConfig } from '../platform/config/server.ts';
import { log } from '../platform/log.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal } from './answer.ts';

/** The document of a request: its text, or its id in the list. */
export interface DocumentReference {
  readonly query?: unknown;
  /** The form of clients of GraphQL Code Generator: `sha256:…`. */
  readonly documentId?: unknown;
  /** The form of Apollo's clients: `persistedQuery: { sha256Hash }`. Documents cannot be registered this way. */
  readonly extensions?: unknown;
}

/** Off: every document runs. Log: a document that is not listed runs and is logged once. Enforce: it does not run. */
export type TrustMode = 'off' | 'log' | 'enforce';

/** How many different documents are logged. A caller who invents new ones must not fill the log. */
const MOST_NAMED = 1000;

/**
 * The documents that the operator trusts, from a list that is created when the clients are built, and the documents of
 * our own executor and command line. Texts must be exactly equal.
 */
export class TrustedDocuments {
  readonly #mode: TrustMode;
  /** By id, and by hash without the name of the algorithm. */
  readonly #texts = new Map<string, string>();
  readonly #named = new Set<string>();

  constructor(mode: TrustMode, manifest: Readonly<Record<string, string>>) {
    this.#mode = mode;
    for (const [id, text] of Object.entries(manifest)) {
      this.#texts.set(bare(id), text);
      this.#texts.set(sha256(text), text);
    }
    for (const { TypedDocumentString, ...documents } of [executorDocuments, cliDocuments])
      for (const document of Object.values(documents))
        if (document instanceof TypedDocumentString)
          this.#texts.set(sha256(String(document)), String(document));
  }

  /**
   * The text to run. If the request has a text, the text counts, even if there is an id too.
   *
   * @throws GraphQLError NOT_FOUND for an id that is not listed, or UNIMPLEMENTED for the hash of Apollo's clients if all
   * documents run; PERMISSION_DENIED for a text that is not listed, if
   * only listed documents run; INVALID_ARGUMENT if there is neither.
   */
  textOf(reference: DocumentReference): string {
    const { query } = reference;
    if (typeof query !== 'string' || query === '') return this.#byId(reference);
    if (this.#mode === 'off') return query;
    const hash = sha256(query);
    if (!this.#texts.has(hash)) this.#untrusted(hash, query);
    return query;
  }

  #byId({ query, documentId, extensions }: DocumentReference): string {
    const hash = persistedQueryHash(extensions);
    const id = documentId ?? hash;
    if (typeof id !== 'string') {
      // The parser will refuse an empty text.
      if (query === '') return query;
      throw refusal('INVALID_ARGUMENT', 'the request needs a query or the id of a trusted document');
    }
    const text = this.#texts.get(bare(id));
    if (text !== undefined) return text;
    if (documentId === undefined || documentId === null) throw this.#unknownHash();
    throw refusal('NOT_FOUND', 'no trusted document has this id');
  }

  /**
   * Clients of Apollo and urql know these messages, and then send the text. Source: Apollo's specification of automatic
   * persisted queries.
   */
  #unknownHash(): GraphQLError {
    if (this.#mode === 'enforce') return refusal('NOT_FOUND', 'PersistedQueryNotFound', { status: 200 });
    return refusal('UNIMPLEMENTED', 'PersistedQueryNotSupported', { status: 200 });
  }

  #untrusted(hash: string, text: string): void {
    if (this.#mode === 'enforce') {
      limitRefusals.inc({ limit: 'trusted_documents' });
      throw refusal(
        'PERMISSION_DENIED',
        'this server accepts only trusted documents, and this is not one of them',
      );
    }
    if (this.#named.has(hash) || this.#named.size >= MOST_NAMED) return;
    this.#named.add(hash);
    const [, operation = null] = /\b(?:query|mutation|subscription)\s+([_A-Za-z]\w{0,127})/.exec(text) ?? [];
    log.warn({ document: `sha256:${hash}`, operation }, 'a document is not in TRUSTED_DOCUMENTS_FILE');
  }
}

let loaded: TrustedDocuments | null = null;

/** The configured documents. @throws ConfigurationError if the file cannot be read or is missing. */
export function trustedDocuments(): TrustedDocuments {
  loaded ??= new TrustedDocuments(serverConfig.trustedDocuments, readManifest());
  return loaded;
}

/**
 * The file has the form of GraphQL Code Generator's `persistedDocuments`: an object of texts by `sha256:…`, or by the
 * hash alone.
 */
function readManifest(): Record<string, string> {
  const { trustedDocuments: mode, trustedDocumentsFile: file } = serverConfig;
  if (!file) {
    if (mode === 'off') return {};
    throw new ConfigurationError(`TRUSTED_DOCUMENTS=${mode} needs TRUSTED_DOCUMENTS_FILE.`);
  }
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const reason =
      error instanceof z.ZodError
        ? 'it is not a JSON object whose values are texts'
        : (error as Error).message;
    throw new ConfigurationError(`TRUSTED_DOCUMENTS_FILE cannot be read: ${reason}`);
  }
}

function persistedQueryHash(extensions: unknown): unknown {
  const { persistedQuery } = (extensions ?? {}) as {
    readonly persistedQuery?: { sha256Hash?: unknown } | null;
  };
  return persistedQuery?.sha256Hash;
}

const bare = (id: string) => id.replace(/^sha256:/, '');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
