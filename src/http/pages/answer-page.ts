import type { ServerResponse } from 'node:http';
import { ChallengeUsedError } from '../../oauth/domain/challenges.ts';
import { textsFor } from '../../oauth/pages/languages.ts';
import { renderGoOnPage, renderProblemPage, renderStalePage } from '../../oauth/pages/message-pages.ts';
import { pageHeaders } from '../../oauth/pages/page.ts';
import type { PageTexts } from '../../oauth/pages/texts/english.ts';
import { failureOf } from '../answer.ts';
import type { Exchange, Handler } from '../exchange.ts';

export function answerPage(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...pageHeaders, ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** The texts in the language of a browser, or in the one that its client asks for. */
export const textsOf = ({ request }: Exchange, uiLocales?: string): PageTexts =>
  textsFor(uiLocales, request.headers['accept-language']);

/** Leads a browser on that has sent a form. */
export const leadOn = ({ response }: Exchange, texts: PageTexts, url: string): void =>
  answerPage(response, 200, renderGoOnPage(texts, url));

/** Leads a browser on that has come with a link. */
export const redirect = ({ response }: Exchange, url: string): void =>
  void response.writeHead(303, { location: url, 'cache-control': 'no-store' }).end();

export const answerStale = (exchange: Exchange): void =>
  answerPage(exchange.response, 400, renderStalePage(textsOf(exchange)));

/** A handler whose errors are pages, too. A page that was used leads to where its answer leads. */
export function page(handler: Handler): Handler {
  return async (exchange) => {
    try {
      await handler(exchange);
    } catch (error) {
      if (error instanceof ChallengeUsedError) return redirect(exchange, error.redirectTo);
      const { status, code, message } = failureOf(error);
      const text = renderProblemPage(textsOf(exchange), { error: code, description: message });
      answerPage(exchange.response, status, text);
    }
  };
}
