import { InvalidArgumentError, requireChanges } from '../../platform/errors.ts';

const MAX_BYTES = 64 * 1024;
const MAX_DEPTH = 32;

export type Preferences = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Preferences =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The preferences with the changes put into them: objects are merged, a dotted key reaches into nested ones, any other
 * value replaces what was there, null takes it away.
 *
 * @throws InvalidArgumentError for a key that is empty or starts with `$`, too deep a nest, or more than 64 KiB in all.
 * Source: ClearML's users.set_preferences.
 */
export function mergePreferences(stored: Preferences, changes: unknown): Preferences {
  const path = ['input', 'preferences'];
  if (!isObject(changes)) throw InvalidArgumentError.of(path, 'preferences are an object');
  requireChanges(Object.keys(changes).length > 0);
  const merged = merge(stored, changes, path, MAX_DEPTH);
  if (Buffer.byteLength(JSON.stringify(merged)) > MAX_BYTES)
    throw InvalidArgumentError.of(path, `preferences take more than ${MAX_BYTES / 1024} KiB`);
  return merged;
}

function merge(stored: Preferences, changes: Preferences, path: readonly string[], depth: number) {
  if (depth === 0) throw InvalidArgumentError.of(path, `preferences nest at most ${MAX_DEPTH} deep`);
  // A map, since `__proto__` is a key like any other here.
  const merged = new Map(Object.entries(stored));
  for (const [dotted, value] of Object.entries(changes)) {
    const dot = dotted.indexOf('.');
    const key = dot < 0 ? dotted : dotted.slice(0, dot);
    const part = dot < 0 ? value : { [dotted.slice(dot + 1)]: value };
    if (key === '' || key.startsWith('$'))
      throw InvalidArgumentError.of(
        [...path, dotted],
        'a key of preferences is not empty and has no $ in front',
      );
    const known = merged.get(key);
    if (part === null) merged.delete(key);
    else if (isObject(part))
      merged.set(key, merge(isObject(known) ? known : {}, part, [...path, key], depth - 1));
    else merged.set(key, part);
  }
  return Object.fromEntries(merged);
}
