/**
 * Whether a client may ask for a scope.
 *
 * A pattern is compared part by part; the parts are separated by dots. `*` stands for one part, and at the end for one
 * or more: `foo.*` matches `foo.a` and `foo.a.b`, but not `foo` and not `foo.`. Source: Hydra's wildcard strategy.
 */
export const isScopeAllowed = (scope: string, patterns: string): boolean =>
  wordsOf(patterns).some((pattern) => matches(pattern.split('.'), scope.split('.')));

function matches(pattern: readonly string[], scope: readonly string[]): boolean {
  if (pattern.length > scope.length) return false;
  const endsOpen = pattern.at(-1) === '*';
  if (pattern.length < scope.length && !endsOpen) return false;
  return scope.every((part, at) => {
    const wanted = pattern[at] ?? '*';
    return wanted === '*' ? part !== '' : wanted === part;
  });
}

/** The scopes in a text that separates them by spaces. */
export const wordsOf = (text: string | undefined): string[] => (text ?? '').split(' ').filter(Boolean);

/** Either of these scopes asks for a refresh token. Flyte's clients ask for `offline`. */
export const wantsRefreshToken = (scopes: Iterable<string>): boolean =>
  [...scopes].some((scope) => scope === 'offline' || scope === 'offline_access');
