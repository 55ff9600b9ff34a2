/**
 * Whether a version of a registered model comes from an execution, as an SQL condition. Such an execution is not deleted:
 * it says how the model was made.
 *
 * @param executionId  an SQL expression.
 */
export const hasModelVersionSql = (executionId: string): string =>
  `exists (select from model_versions as version where version.execution_id = ${executionId})`;
