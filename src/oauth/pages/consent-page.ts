import { type FormTarget, formStart } from './form.ts';
import { type Html, html } from './html.ts';
import { renderPage } from './page.ts';
import { scopeText } from './scope-text.ts';
import type { PageTexts } from './texts/english.ts';

export interface ConsentPage extends FormTarget {
  readonly clientName: string;
  readonly policyUri: string | null;
  readonly termsUri: string | null;
  /** The person, in words that she knows. */
  readonly person: string;
  /** Where she can sign in as another person. */
  readonly otherPersonUrl: string;
  readonly scopes: readonly string[];
  /** The resource servers that accept its tokens, as URLs. */
  readonly audience: readonly string[];
  /** Where the browser goes afterwards, in words; null if a device waits. */
  readonly destination: string | null;
}

/** Without this scope there is no sign-in, so it cannot be declined alone. */
const NEEDED = 'openid';

export function renderConsentPage(texts: PageTexts, page: ConsentPage): string {
  const { consent } = texts;
  const { clientName, person, otherPersonUrl, scopes, audience, destination } = page;
  return renderPage({
    texts,
    title: consent.title(clientName),
    body: html`
<h1>${consent.title(clientName)}</h1>
<p>${consent.signedInAs(person)}<br><a href="${otherPersonUrl}">${consent.otherPerson}</a></p>
${formStart(page)}
${
  scopes.length > 0 &&
  html`<fieldset class="scopes"><legend>${consent.asks}</legend>${scopes.map((scope) => scopeBox(texts, scope))}</fieldset>`
}
${
  audience.length > 0 &&
  html`<p id="audience">${consent.audience}</p><ul aria-labelledby="audience">${audience.map((one) => html`<li>${one}</li>`)}</ul>`
}
<label class="check"><input type="checkbox" name="remember" value="yes" aria-describedby="remember-hint"><span>${consent.remember}<small id="remember-hint">${consent.rememberHint}</small></span></label>
<div class="actions">
<button type="submit" name="answer" value="accept">${consent.allow}</button>
<button type="submit" name="answer" value="reject" class="plain">${consent.deny}</button>
</div>
</form>
<p class="fine">${destination === null ? consent.toDevice : consent.sentTo(destination)}${link(page.policyUri, consent.policy)}${link(page.termsUri, consent.terms)}</p>`,
  });
}

function scopeBox(texts: PageTexts, scope: string): Html {
  const { text, name } = scopeText(texts, scope);
  const isNeeded = scope === NEEDED;
  return html`<label class="check"><input type="checkbox" name="scope" value="${scope}" checked${isNeeded && html` disabled`}><span>${text}${name !== null && html`<small>${name}</small>`}</span></label>${isNeeded && html`<input type="hidden" name="scope" value="${scope}">`}`;
}

const link = (uri: string | null, text: string) =>
  uri !== null && html` <a href="${uri}" rel="noopener noreferrer" target="_blank">${text}</a>`;
