import { describe, expect, it } from 'vitest';
import { learnerNames } from '../../examples/penguins/steps/learners.ts';
import { documents } from '../../examples/penguins/workflow.ts';
import { compilePenguins } from './compile-penguins.ts';

describe("the penguins' documents", () => {
  it('compile without an error', () => {
    const { primary, tasks } = compilePenguins();
    expect(primary.template.nodes.map(({ id }) => id)).toHaveLength(4 + 2 * learnerNames.length);
    expect(tasks).toHaveLength(documents.tasks.length);
  });

  it('train the models in parallel, and choose when all are done', () => {
    const { upstream, downstream } = compilePenguins().primary.connections;
    const trains = learnerNames.map((learner) => `train-${learner}`);
    expect(downstream['split']).toEqual(expect.arrayContaining(trains));
    for (const train of trains) expect(upstream[train]).toEqual(expect.not.arrayContaining(trains));
    const evaluations = learnerNames.map((learner) => `evaluate-${learner}`);
    expect(upstream['choose']).toEqual([...evaluations, 'start-node'].sort());
  });

  it('have the same version while they do not change', () => {
    const versions = new Set(
      [...documents.tasks, documents.workflow, documents.launchPlan].map(({ key }) => key.version),
    );
    expect([...versions]).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/)]);
  });

  it('contain no path of this machine', () => {
    expect(JSON.stringify(documents)).not.toMatch(/"\/|file:|\/home|\/tmp/);
  });
});
