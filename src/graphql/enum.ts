import { builder } from './builder.ts';

/**
 * A GraphQL enum with the values of a Prisma enum. Each value must have a description: if Prisma's schema gets a new
 * value, the code does not compile until the value is described here.
 */
export function enumOf<Value extends string>(
  name: string,
  description: string,
  values: Readonly<Record<Value, string>>,
) {
  const entries = Object.entries<string>(values).map(([value, text]) => [
    value,
    { description: text, value },
  ]);
  return builder.enumType(name, {
    description,
    values: Object.fromEntries(entries) as Record<Value, { description: string; value: Value }>,
  });
}
