/** Stored tasks and launch plans are registered again when they are promoted, so compiling them must change nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { launchPlanInputs } from '../../src/flyte/flyte-json.ts';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { compileLaunchPlan } from '../../src/registry/domain/launch-plan.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';
import { taskTemplate } from '../flyte/arbitraries.ts';
import { literalOf, typeWithUnions } from '../values/arbitraries.ts';
import { variables } from './workflows.ts';

/** As the database returns it. */
const stored = <T>(document: T): T => JSON.parse(JSON.stringify(document));

/** How many of the inputs the compiler accepted. */
function tries<T>(
  arbitrary: fc.Arbitrary<T>,
  compile: (input: T) => unknown,
  check: (input: T) => void,
): number {
  let accepted = 0;
  fc.assert(
    fc.property(arbitrary, (input) => {
      if (!isAccepted(() => compile(input))) return;
      accepted += 1;
      check(input);
    }),
    { numRuns: 300 },
  );
  return accepted;
}

function isAccepted(compile: () => unknown): boolean {
  try {
    compile();
    return true;
  } catch {
    return false;
  }
}

describe('a compiled task', () => {
  it('is the same after it is compiled again', () => {
    const accepted = tries(
      taskTemplate,
      (template) => compileTask(template),
      (template) => {
        const compiled = stored(compileTask(template));
        expect(stored(compileTask(compiled))).toEqual(compiled);
      },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('the inputs of a launch plan', () => {
  it('are the same after they are compiled again', () => {
    const inputs = typeWithUnions.chain((type) =>
      fc.record({ one: literalOf(type), other: literalOf(type) }).map((literals) => ({ type, ...literals })),
    );
    const signatureOf = (type: LiteralType) => ({
      inputs: variables({ open: type, defaulted: type, fixed: type }),
      outputs: {},
    });
    const compile = ({ type, one, other }: { type: LiteralType; one: Literal; other: Literal }) =>
      compileLaunchPlan(signatureOf(type), {
        defaultInputLiterals: { defaulted: one },
        fixedInputLiterals: { fixed: other },
      });
    const accepted = tries(inputs, compile, (given) => {
      const compiled = stored(compile(given));
      const again = compileLaunchPlan(
        signatureOf(given.type),
        launchPlanInputs({ workflowId: null, ...compiled }),
      );
      expect(stored(again)).toEqual(compiled);
    });
    expect(accepted).toBeGreaterThan(20);
  });
});
