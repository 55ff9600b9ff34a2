/** What each client test needs: a project with a launch plan, and a connection to the server that can be cut. */
import { readFileSync } from 'node:fs';
import { buildSchema, isAbstractType } from 'graphql';
import { type App, startApp } from '../support/app.ts';
import { domain, keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { startWire, type Wire } from '../support/wire.ts';

export interface Stage {
  readonly app: App;
  readonly wire: Wire;
  /** `http://…/graphql`, through the connection that can be cut. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

export const project = 'penguins';
export const filter = { project, domain };
export const launchInput = (name: string) => ({
  ...filter,
  name,
  launchPlan: { key: keyOf(project, 'flow') },
});

export async function startStage(): Promise<Stage> {
  const app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { first: [] });
  const wire = await startWire(app.url);
  return {
    app,
    wire,
    endpoint: `${wire.url}/graphql`,
    async stop() {
      await wire.close();
      await app.stop();
    },
  };
}

/** What caches must know about interfaces and unions, in the form of codegen's fragment matcher. */
export function possibleTypes(): Record<string, string[]> {
  const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
  return Object.fromEntries(
    abstract.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  );
}
