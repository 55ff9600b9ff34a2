import { type PageTexts, textIn } from './texts/english.ts';

/**
 * What a scope allows, in words. Of a scope that only the client knows, its name is the text.
 *
 * @returns a name, too, if the text does not say it.
 */
export function scopeText({ scopes }: PageTexts, scope: string): { text: string; name: string | null } {
  const known = textIn(scopes.known, scope);
  if (known !== null) return { text: known, name: null };
  const [noun = '', verb = '', ...more] = scope.split(':');
  const isPermission = noun !== '' && verb !== '' && more.length === 0;
  if (isPermission && verb === '*') return { text: scopes.allOf(noun), name: scope };
  if (isPermission && noun === '*') return { text: scopes.onAll(verb), name: scope };
  const permission = scopes.permission(scope);
  return permission === null ? { text: scope, name: scopes.unknown } : { text: permission, name: scope };
}
