import { html } from './html.ts';
import { renderPage } from './page.ts';
import type { PageTexts } from './texts/english.ts';

/**
 * Leads the browser on, at once. A redirect would not do: browsers apply the policy for forms of the page before to all
 * addresses that a redirect leads through, also to those of the client.
 */
export const renderGoOnPage = (texts: PageTexts, url: string): string =>
  renderPage({
    texts,
    title: texts.goOn.title,
    goesTo: url,
    body: html`
<h1>${texts.goOn.title}</h1>
<p>${texts.goOn.text}</p>
<a class="button" href="${url}">${texts.goOn.button}</a>`,
  });

/** An error that cannot be sent to the client. Source: Hydra's error page. */
export const renderProblemPage = (
  texts: PageTexts,
  { error, description }: { readonly error: string; readonly description: string | null },
): string =>
  renderPage({
    texts,
    title: texts.problem.title,
    body: html`
<h1>${texts.problem.title}</h1>
<p>${texts.problem.text}</p>
<dl class="facts">
<dt>${texts.problem.code}</dt><dd><code>${error}</code></dd>
${description !== null && html`<dt>${texts.problem.description}</dt><dd lang="en">${description}</dd>`}
</dl>`,
  });

/** A page that has been used, or that belongs to another browser. */
export const renderStalePage = (texts: PageTexts): string =>
  renderNotice(texts, texts.stale.title, texts.stale.text);

/** A page that only says something. */
export const renderNotice = (texts: PageTexts, title: string, text: string): string =>
  renderPage({
    texts,
    title,
    body: html`
<h1>${title}</h1>
<p>${text}</p>`,
  });
