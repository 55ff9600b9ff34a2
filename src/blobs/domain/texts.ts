/** All texts in a plain value, at any depth. */
export function textsIn(value: unknown): string[] {
  const texts: string[] = [];
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string') texts.push(next);
    else for (const part of Object.values(next ?? {})) waiting.push(part);
  }
  return texts;
}
