/**
 * Where browsers come back from identity providers. Each provider has an address of its own, so an answer of one is
 * never taken for an answer of another. Source: RFC 9700 §4.4.2.
 */
export const CALLBACK_PATH = '/oauth2/login/callback/';

export const redirectUriOf = (publicUrl: string, { id }: { readonly id: string }): string =>
  `${publicUrl}${CALLBACK_PATH}${id}`;
