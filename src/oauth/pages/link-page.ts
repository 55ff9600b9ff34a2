import { type FormTarget, formStart } from './form.ts';
import { html } from './html.ts';
import { renderNotice } from './message-pages.ts';
import { renderPage } from './page.ts';
import type { PageTexts } from './texts/english.ts';

export interface LinkPage extends FormTarget {
  /** Who has come, encrypted. */
  readonly arrival: string;
  readonly providerName: string;
  /** The person's account at the provider, in words that she knows. */
  readonly account: string;
  readonly username: string;
  readonly problem: string | null;
}

/** Where a person connects her account at an identity provider with a user who exists. */
export function renderLinkPage(texts: PageTexts, page: LinkPage): string {
  const { link, login } = texts;
  const { arrival, providerName, account, username, problem } = page;
  const isWrong = problem !== null && html` aria-invalid="true" aria-describedby="problem"`;
  const focus = html` autofocus`;
  return renderPage({
    texts,
    title: problem === null ? link.title : `${problem} ${link.title}`,
    body: html`
<h1>${link.title}</h1>
<p>${link.text(account, providerName)}</p>
${problem !== null && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
${formStart(page)}
<input type="hidden" name="arrival" value="${arrival}">
<label for="username">${login.username}</label>
<input type="text" id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="1024"${isWrong}${username === '' && focus}>
<label for="password">${login.password}</label>
<input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024"${isWrong}${username !== '' && focus}>
<div class="actions">
<button type="submit" name="answer" value="accept">${link.submit}</button>
<button type="submit" name="answer" value="reject" class="plain" formnovalidate>${login.cancel}</button>
</div>
</form>`,
  });
}

/** The person is not known here, and cannot change that herself. */
export const renderUnknownPersonPage = (texts: PageTexts, account: string, providerName: string): string =>
  renderNotice(texts, texts.link.unknown, texts.link.unknownText(account, providerName));
