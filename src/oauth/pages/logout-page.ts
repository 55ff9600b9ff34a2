import { type FormTarget, formStart } from './form.ts';
import { html } from './html.ts';
import { renderNotice } from './message-pages.ts';
import { renderPage } from './page.ts';
import type { PageTexts } from './texts/english.ts';

export interface LogoutPage extends FormTarget {
  /** The client that asks for it; null if the person does. */
  readonly clientName: string | null;
  /** The person, in words that she knows; null if there are none. */
  readonly person: string | null;
}

export function renderLogoutPage(texts: PageTexts, page: LogoutPage): string {
  const { logout } = texts;
  const { clientName, person } = page;
  return renderPage({
    texts,
    title: logout.title,
    body: html`
<h1>${logout.title}</h1>
${clientName !== null && html`<p>${logout.byClient(clientName)}</p>`}
${person !== null && html`<p>${logout.signedInAs(person)}</p>`}
<p>${logout.text}</p>
${formStart(page)}
<div class="actions">
<button type="submit" name="answer" value="accept">${logout.submit}</button>
<button type="submit" name="answer" value="reject" class="plain">${logout.cancel}</button>
</div>
</form>`,
  });
}

/** After a logout from which no client is waiting for the browser. */
export const renderSignedOutPage = (texts: PageTexts): string =>
  renderNotice(texts, texts.logout.done, texts.logout.doneText);

/** After a logout that the person did not want. */
export const renderStillSignedInPage = (texts: PageTexts): string =>
  renderNotice(texts, texts.logout.stayed, texts.logout.stayedText);
