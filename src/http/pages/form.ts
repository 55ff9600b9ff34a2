import { isFormToken, type PageKind } from '../../oauth/built-in-app.ts';
import { PermissionDeniedError } from '../../platform/errors.ts';
import { requireOurPage } from '../../sign-in/methods/session-cookie.ts';
import { readForm } from '../body.ts';
import type { Exchange } from '../exchange.ts';

const LIMIT_BYTES = 65_536;

/**
 * The fields of a form that one of our pages has sent.
 *
 * @throws PermissionDeniedError for the form of another page, or of another challenge.
 */
export async function readOurForm({ request, signIn }: Exchange, kind: PageKind): Promise<URLSearchParams> {
  requireOurPage(signIn);
  const form = await readForm(request, LIMIT_BYTES);
  if (!isFormToken(kind, form.get('challenge') ?? '', form.get('token') ?? ''))
    throw new PermissionDeniedError('this form does not come from a page of this server');
  return form;
}
