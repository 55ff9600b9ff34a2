/** The queue of a project's domain: where its executions' jobs go unless something sends them elsewhere. */
export function defaultQueueName(project: string, domain: string): string {
  return `${project}/${domain}`;
}
