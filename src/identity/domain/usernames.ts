/** How user names and e-mail addresses are compared: NFKC, lower case. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}
