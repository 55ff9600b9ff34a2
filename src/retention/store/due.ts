import type { RetentionRule } from '../domain/retention-rules.ts';

/** The rules as a parameter of `isDueSql`. */
export const rulesParameter = (rules: readonly RetentionRule[]): string =>
  JSON.stringify(rules.map((rule, position) => ({ position, ...rule })));

/**
 * Whether rules delete the execution of the row `execution`, as an SQL condition that is never null.
 *
 * @param rules  an SQL expression: the text of `rulesParameter`.
 * @param now  an SQL expression.
 */
export const isDueSql = (
  rules: string,
  now: string,
): string => `coalesce(execution.ended_at < ${now}::timestamptz - (
  select rule."keepSeconds"
    from jsonb_to_recordset(${rules}::jsonb)
      as rule(position int, "keepSeconds" float8, phases text[], labels jsonb, "archivedOnly" boolean)
   where (cardinality(rule.phases) = 0 or execution.phase::text = any(rule.phases))
     and (not rule."archivedOnly" or execution.state = 'ARCHIVED')
     and not exists (
       select from jsonb_each_text(rule.labels) as wanted(key, value)
        where not exists (select from execution_labels as label
                           where label.execution_id = execution.id and label.key = wanted.key
                             and label.value = wanted.value))
   order by rule.position limit 1
  ) * interval '1 second', false)`;
