import { type FormTarget, formStart } from './form.ts';
import { html } from './html.ts';
import { renderNotice } from './message-pages.ts';
import { renderPage } from './page.ts';
import type { PageTexts } from './texts/english.ts';

export interface DevicePage extends FormTarget {
  /** As it was typed before, or as the address of the page says. */
  readonly userCode: string;
  readonly problem: string | null;
}

export function renderDevicePage(texts: PageTexts, page: DevicePage): string {
  const { device } = texts;
  const { userCode, problem } = page;
  const described = problem === null ? 'hint' : 'problem hint';
  return renderPage({
    texts,
    title: problem === null ? device.title : `${problem} ${device.title}`,
    body: html`
<h1>${device.title}</h1>
<p>${device.text}</p>
${problem !== null && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
${formStart(page)}
<label for="user_code">${device.code}</label>
<input type="text" class="code" id="user_code" name="user_code" value="${userCode}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="64" aria-describedby="${described}"${problem !== null && html` aria-invalid="true"`} autofocus>
<p class="hint" id="hint">${device.hint}</p>
<div class="actions"><button type="submit">${device.submit}</button></div>
</form>`,
  });
}

export const renderDeviceDonePage = (texts: PageTexts): string =>
  renderNotice(texts, texts.device.done, texts.device.doneText);
