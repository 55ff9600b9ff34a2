/** The queue of a project and domain, which gets the jobs of its executions by default. */
export function defaultQueueName(project: string, domain: string): string {
  return `${project}/${domain}`;
}
