/**
 * The one JSON text of a document, whatever order its keys have: keys are sorted by UTF-16 code unit, there is no white
 * space, undefined members are left out, and lists keep their order.
 *
 * @throws TypeError for values that JSON cannot express: a number that is not finite, a bigint, a function.
 * Source: RFC 8785, which writes numbers and strings as JSON.stringify does.
 */
export function canonicalJson(document: unknown): string {
  if (Array.isArray(document)) return `[${document.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof document === 'object' && document !== null) {
    const values = document as Readonly<Record<string, unknown>>;
    const members = Object.keys(values)
      .filter((key) => values[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(values[key])}`);
    return `{${members.join(',')}}`;
  }
  if (typeof document === 'number' && !Number.isFinite(document)) {
    throw new TypeError(`${document} has no JSON form`);
  }
  const text = JSON.stringify(document);
  if (text === undefined) throw new TypeError(`a ${typeof document} has no JSON form`);
  return text;
}
