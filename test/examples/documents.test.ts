import { describe, expect, it } from 'vitest';
import { learnerNames } from '../../examples/penguins/steps/learners.ts';
import { documents } from '../../examples/penguins/workflow.ts';
import { compilePenguins } from './compile-penguins.ts';

describe("the penguins' documents", () => {
  it('compile without a fault', () => {
    const { primary, tasks } = compilePenguins();
    expect(primary.template.nodes.map(({ id }) => id)).toHaveLength(4 + 2 * learnerNames.length);
    expect(tasks).toHaveLength(documents.tasks.length);
  });

  it('train the models side by side, and wait for all of them to choose', () => {
    const { upstream, downstream } = compilePenguins().primary.connections;
    const trains = learnerNames.map((learner) => `train-${learner}`);
    expect(downstream['split']).toEqual(expect.arrayContaining(trains));
    for (const train of trains) expect(upstream[train]).toEqual(expect.not.arrayContaining(trains));
    const evaluations = learnerNames.map((learner) => `evaluate-${learner}`);
    expect(upstream['choose']).toEqual([...evaluations, 'start-node'].sort());
  });

  it('are one version while they stay as they are', () => {
    const versions = new Set(
      [...documents.tasks, documents.workflow, documents.launchPlan].map(({ key }) => key.version),
    );
    expect([...versions]).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/)]);
  });

  it('name no place of this machine', () => {
    expect(JSON.stringify(documents)).not.toMatch(/"\/|file:|\/home|\/tmp/);
  });
});
