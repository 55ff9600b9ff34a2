/** The client id of the job of an attempt. With it, submitting an attempt twice gives only one job. */
export function clientIdOf(nodeExecutionId: string, attempt: number): string {
  return `${nodeExecutionId}/${attempt}`;
}

/** The attempt that one of our jobs runs; null for a client id with another form. */
export function attemptOf(clientId: string | null): { nodeExecutionId: string; attempt: number } | null {
  const match = /^([0-9a-f-]{36})\/(\d{1,4})$/.exec(clientId ?? '');
  if (!match) return null;
  const [, nodeExecutionId = '', attempt] = match;
  return { nodeExecutionId, attempt: Number(attempt) };
}
