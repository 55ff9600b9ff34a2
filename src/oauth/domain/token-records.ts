const MARK = 'jwt.';

/**
 * The id under which the record of a token is stored. The endpoints of the engine refuse everything that looks like a
 * JWT, so the id of a JWT has a mark in front.
 */
export const recordIdOf = (token: string): string =>
  token.split('.').length === 3 ? `${MARK}${token}` : token;

/** The token whose record has this id. */
export const tokenOf = (recordId: string): string =>
  recordId.startsWith(MARK) ? recordId.slice(MARK.length) : recordId;
