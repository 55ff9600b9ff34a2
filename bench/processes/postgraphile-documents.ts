import { documents } from '../run/workloads.ts';

/**
 * The documents of the bench in the names that PostGraphile gives to the tables, with aliases, so that the answers have
 * the same form.
 */
const nodes = `nodeExecutions: nodeExecutionsByExecutionId(
    first: 10, orderBy: PRIMARY_KEY_DESC, condition: { parentId: null }
  ) {
    nodes {
      id: rowId nodeId phase startedAt endedAt
      taskExecutions: taskExecutionsByNodeExecutionId(first: 1, orderBy: PRIMARY_KEY_DESC) {
        nodes { id: rowId retryAttempt phase startedAt endedAt }
      }
    }
  }`;

export const postgraphileDocuments: Readonly<Record<keyof typeof documents, string>> = {
  V0: documents.V0,
  Q1: `query ($id: UUID!) {
    execution: executionOfTenant(id: $id) { id: rowId name domain phase createdAt startedAt endedAt ${nodes} }
  }`,
  Q2: `query ($project: String!) {
    executions: executionsOfProject(first: 50, project: $project, domain: "production", phase: SUCCEEDED) {
      nodes { id: rowId name phase createdAt startedAt endedAt ${nodes} }
    }
  }`,
  Q3: `{
    projects: projectsOfTenant(first: 100) { nodes { id: rowId identifier name executionCounts { phase count } } }
  }`,
  Q4: `{
    viewer { id: rowId username name role }
    myPermissions: grantsOfViewer(first: 25) {
      nodes { grant { id: rowId level resource { type: resourceType id: resourceId name: resourceName } } }
    }
  }`,
  M1: documents.M1.replace('CreateTaskEventInput', 'ReportInput'),
};
