import type { FilterTable } from '../platform/database/filter-sql.ts';
import { builder } from './builder.ts';

/** The argument of a list that also takes Flyte's filters: `...filtersArgument(taskFilters)`. */
export function filtersArgument({ columns, joined = {} }: FilterTable) {
  const others = Object.entries(joined).flatMap(([prefix, fields]) =>
    Object.keys(fields).map((field) => `${prefix}.${field}`),
  );
  const fields = [...Object.keys(columns), ...others].map((field) => `\`${field}\``).join(', ');
  return builder.args((t) => ({
    filters: t.string({
      description: `Further conditions in Flyte's form, such as \`eq(name,train)+contains(domain,dev)\`. All of them must hold. The functions are eq, ne, gt, gte, lt, lte, contains, not_like, value_in and value_not_in; the values of a list are separated by \`;\`. A value cannot contain \`+\` or a comma. The fields are ${fields}.`,
    }),
  }));
}
