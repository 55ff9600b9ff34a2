import { type FormTarget, formStart } from './form.ts';
import { html } from './html.ts';
import { renderPage } from './page.ts';
import type { PageTexts } from './texts/english.ts';

export interface LoginPage extends FormTarget {
  readonly clientName: string;
  /** As it was typed before, or as the client suggests. */
  readonly username: string;
  readonly isRemembered: boolean;
  /** Why the person is still here; null the first time. */
  readonly problem: string | null;
  /** With whom the person can sign in instead. */
  readonly providers: readonly { readonly id: string; readonly name: string }[];
}

export function renderLoginPage(texts: PageTexts, page: LoginPage): string {
  const { login } = texts;
  const { clientName, username, isRemembered, problem, providers } = page;
  const isWrong = problem !== null && html` aria-invalid="true" aria-describedby="problem"`;
  const focus = html` autofocus`;
  return renderPage({
    texts,
    // Screen readers read the name of a new page first, so it begins with what is wrong.
    title: problem === null ? login.title : `${problem} ${login.title}`,
    body: html`
<h1>${login.title}</h1>
<p>${login.toClient(clientName)}</p>
${problem !== null && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
${formStart(page)}
<label for="username">${login.username}</label>
<input type="text" id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="1024"${isWrong}${username === '' && focus}>
<label for="password">${login.password}</label>
<input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024"${isWrong}${username !== '' && focus}>
<label class="check"><input type="checkbox" name="remember" value="yes"${isRemembered && html` checked`} aria-describedby="remember-hint"><span>${login.remember}<small id="remember-hint">${login.rememberHint}</small></span></label>
<div class="actions">
<button type="submit" name="answer" value="accept">${login.submit}</button>
<button type="submit" name="answer" value="reject" class="plain" formnovalidate>${login.cancel}</button>
</div>
${
  providers.length > 0 &&
  html`<p class="or">${login.or}</p>
<div class="actions">${providers.map(
    ({ id, name }) =>
      html`<button type="submit" name="provider" value="${id}" class="plain" formnovalidate>${login.withProvider(name)}</button>`,
  )}</div>`
}
</form>`,
  });
}
