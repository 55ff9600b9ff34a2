import { isRecord } from '../../values/json.ts';

/**
 * A document in a form in which two versions can be compared: lists of nodes, tasks, launch plans and workflows become
 * objects by id, and lists of bindings become objects by variable. So a node that is added in front of others is one
 * difference. The key of a task, launch plan or workflow does not contain its version, unless a list has two versions of
 * the same name; the version is a difference inside.
 */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return namedItems(value) ?? value.map(comparable);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, comparable(member)]));
}

/** An object with the items by their names; null if not all items have a name of their own. */
function namedItems(items: readonly unknown[]): Record<string, unknown> | null {
  for (const nameOf of [idOf, versionOf, variableOf]) {
    const names = items.map(nameOf);
    const isUnique = new Set(names).size === items.length && names.every((name) => name !== undefined);
    if (items.length > 0 && isUnique)
      return Object.fromEntries(items.map((item, at) => [names[at], comparable(item)]));
  }
  return null;
}

function idOf(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined;
  const { id } = item;
  if (!isRecord(id)) return typeof id === 'string' ? id : undefined;
  return [id['project'], id['domain'], id['name']].join('/');
}

function versionOf(item: unknown): string | undefined {
  return isRecord(item) && isRecord(item['id']) ? `${idOf(item)}@${item['id']['version']}` : undefined;
}

function variableOf(item: unknown): string | undefined {
  return isRecord(item) && typeof item['var'] === 'string' ? item['var'] : undefined;
}
