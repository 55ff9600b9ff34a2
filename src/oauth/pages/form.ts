import { type Html, html } from './html.ts';

/** What a form brings back: the challenge, and the proof that this server has made the form. */
export interface FormProof {
  readonly challenge: string;
  readonly token: string;
}

/** Where the form of a page goes, and what it brings back. */
export interface FormTarget {
  readonly action: string;
  readonly proof: FormProof;
}

/** The beginning of the form of a page. */
export const formStart = ({ action, proof }: FormTarget): Html => html`<form method="post" action="${action}">
<input type="hidden" name="challenge" value="${proof.challenge}">
<input type="hidden" name="token" value="${proof.token}">`;
