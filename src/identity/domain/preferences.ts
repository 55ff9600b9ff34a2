import { InvalidArgumentError, requireChanges } from '../../platform/errors.ts';

const MAX_BYTES = 64 * 1024;
const MAX_DEPTH = 32;

export type Preferences = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Preferences =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Merges changes into preferences: objects are merged, a key with dots changes a value inside of a nested object, null
 * removes a key, and any other value replaces the old one.
 *
 * @throws InvalidArgumentError for a key that is empty or begins with `$`, if objects are nested too deep, or if all
 * preferences together have more than 64 KiB.
 * Source: ClearML's users.set_preferences.
 */
export function mergePreferences(stored: Preferences, changes: unknown): Preferences {
  const path = ['input', 'preferences'];
  if (!isObject(changes)) throw InvalidArgumentError.of(path, 'preferences must be a JSON object');
  requireChanges(Object.keys(changes).length > 0);
  const merged = merge(stored, changes, path, MAX_DEPTH);
  if (Buffer.byteLength(JSON.stringify(merged)) > MAX_BYTES)
    throw InvalidArgumentError.of(path, `preferences must not take more than ${MAX_BYTES / 1024} KiB`);
  return merged;
}

function merge(stored: Preferences, changes: Preferences, path: readonly string[], depth: number) {
  if (depth === 0)
    throw InvalidArgumentError.of(path, `preferences must be nested at most ${MAX_DEPTH} deep`);
  // A map, because `__proto__` is an ordinary key here.
  const merged = new Map(Object.entries(stored));
  for (const [dotted, value] of Object.entries(changes)) {
    const dot = dotted.indexOf('.');
    const [key, part] =
      dot === -1 ? [dotted, value] : [dotted.slice(0, dot), { [dotted.slice(dot + 1)]: value }];
    if (key === '' || key.startsWith('$'))
      throw InvalidArgumentError.of(
        [...path, dotted],
        'a key of preferences must not be empty or begin with $',
      );
    const known = merged.get(key);
    if (part === null) merged.delete(key);
    else if (isObject(part))
      merged.set(key, merge(isObject(known) ? known : {}, part, [...path, key], depth - 1));
    else merged.set(key, part);
  }
  return Object.fromEntries(merged);
}
