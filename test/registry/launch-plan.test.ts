import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveInputs } from '../../src/registry/domain/effective-inputs.ts';
import { compileLaunchPlan } from '../../src/registry/domain/launch-plan.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { toPlain } from '../../src/values/plain-values.ts';
import { anyName } from '../values/arbitraries.ts';
import { faultsOf, faultsThrown, valueIn } from './outcomes.ts';
import { integer, none, string, unionOf, variables } from './workflows.ts';

const size: LiteralType = { enumType: { values: ['small', 'large'] } };
const either = unionOf(integer, { simple: 'FLOAT' });
const signature = {
  inputs: variables({ rows: integer, path: string, size, note: unionOf(string, none), rate: either }),
  outputs: {},
};
const one = { scalar: { primitive: { integer: '1' } } };
const plain = (literals: object) =>
  Object.fromEntries(Object.entries(literals).map(([name, literal]) => [name, toPlain(literal)]));

describe('compileLaunchPlan', () => {
  it('expects inputs with defaults, and requires inputs that are neither defaulted nor fixed', () => {
    const { expectedInputs, fixedInputs } = compileLaunchPlan(signature, {
      defaultInputs: { rows: 10 },
      defaultInputLiterals: { rate: { scalar: { union: { value: one, type: integer } } } },
      fixedInputs: { path: 's3://x' },
      requiredInputs: ['size'],
    });
    expect(plain(fixedInputs)).toEqual({ path: 's3://x' });
    expect(expectedInputs).toEqual({
      rows: { var: { type: integer }, default: { scalar: { primitive: { integer: '10' } } } },
      size: { var: { type: size }, required: true },
      note: { var: { type: unionOf(string, none) }, required: true },
      rate: { var: { type: either }, default: { scalar: { union: { value: one, type: integer } } } },
    });
  });

  it('treats null as not set, except for a default of type none', () => {
    const { expectedInputs } = compileLaunchPlan(signature, {
      defaultInputs: { note: null },
      fixedInputs: null,
      defaultInputLiterals: null,
    });
    expect(expectedInputs['note']).toHaveProperty('default');
  });

  it('reports unknown names, wrong types and duplicate values together', () => {
    const spec = {
      defaultInputs: { rows: 'many', toString: 1, rate: 3, path: 'x' },
      defaultInputLiterals: { path: { scalar: { noneType: {} } }, rows: {} },
      fixedInputs: { size: 'huge', note: 5 },
      requiredInputs: ['gone', 'path'],
    };
    expect(faultsThrown(() => compileLaunchPlan(signature, spec))).toEqual([
      'ParameterBoundMoreThanOnce input.defaultInputLiterals.rows',
      'MismatchingTypes input.defaultInputs.rows',
      'ValueRequired input.defaultInputLiterals.rows',
      'ParameterBoundMoreThanOnce input.defaultInputLiterals.path',
      'MismatchingTypes input.defaultInputLiterals.path',
      'AmbiguousBindingUnionValue input.defaultInputs.rate',
      'VariableNameNotFound input.defaultInputs.toString',
      'IllegalEnumValue input.fixedInputs.size',
      'IncompatibleBindingUnionValue input.fixedInputs.note',
      'VariableNameNotFound input.requiredInputs.0',
      'ParameterBoundMoreThanOnce input.requiredInputs.1',
    ]);
    expect(faultsThrown(() => compileLaunchPlan(signature, { defaultInputs: [1] }))).toEqual([
      'InvalidValue input.defaultInputs',
    ]);
  });

  it('refuses an input that is both fixed and defaulted, in any form', () => {
    const spec = {
      defaultInputs: { rows: 'many', path: 's3://y' },
      defaultInputLiterals: { rate: one },
      fixedInputs: { path: 's3://x', rate: 2 },
      fixedInputLiterals: { rows: one },
    };
    expect(faultsThrown(() => compileLaunchPlan(signature, spec))).toEqual(
      expect.arrayContaining([
        'ParameterBoundMoreThanOnce input.fixedInputs.path',
        'ParameterBoundMoreThanOnce input.fixedInputs.rate',
        'ParameterBoundMoreThanOnce input.fixedInputLiterals.rows',
      ]),
    );
  });

  it('refuses any value when the workflow has no inputs', () => {
    const spec = { defaultInputs: { a: 1 }, fixedInputs: { b: 1 } };
    expect(faultsThrown(() => compileLaunchPlan({ inputs: {}, outputs: {} }, spec))).toHaveLength(2);
  });

  it('lists every input of the workflow exactly once', () => {
    const names = fc.uniqueArray(anyName, { maxLength: 6 });
    const chosen = fc.array(fc.nat(5), { maxLength: 4 });
    fc.assert(
      fc.property(names, chosen, chosen, (all, defaulted, fixed) => {
        const inputs = variables(Object.fromEntries(all.map((name) => [name, integer])));
        const pick = (indexes: number[]) =>
          Object.fromEntries(indexes.flatMap((index) => (index < all.length ? [[all[index], index]] : [])));
        const plan = compileLaunchPlan(
          { inputs, outputs: {} },
          {
            defaultInputs: pick(defaulted),
            fixedInputs: pick(fixed.filter((at) => !defaulted.includes(at))),
          },
        );
        const placed = [...Object.keys(plan.expectedInputs), ...Object.keys(plan.fixedInputs)];
        expect(placed.sort()).toEqual([...all].sort());
      }),
    );
  });
});

describe('effectiveInputs', () => {
  const launchPlan = compileLaunchPlan(signature, {
    defaultInputs: { rows: 10, note: null, size: 'small' },
    fixedInputs: { rate: 1.5 },
  });

  it('overrides defaults with the values of the request, and adds fixed values', () => {
    const given = {
      inputs: { path: 'a', rows: '20' },
      inputLiterals: { note: { scalar: { noneType: {} } } },
    };
    const { userInputs, inputs } = valueIn(effectiveInputs(launchPlan, given));
    expect(plain(userInputs)).toEqual({ path: 'a', rows: 20, note: null });
    expect(plain(inputs)).toEqual({ path: 'a', rows: 20, note: null, size: 'small', rate: 1.5 });
    expect(Object.keys(inputs)).toEqual(['rows', 'path', 'size', 'note', 'rate']);
    expect(Object.keys(userInputs)).toEqual(['rows', 'path', 'note']);
  });

  it('reports all problems with inputs, expected and actual types', () => {
    const given = { inputs: { rows: 'x', rate: 2, gone: 1, size: 'huge' }, inputLiterals: { note: {} } };
    const outcome = effectiveInputs(launchPlan, given);
    expect(faultsOf(outcome)).toEqual([
      'MismatchingTypes input.inputs.rows',
      'MissingField input.inputs.path',
      'IllegalEnumValue input.inputs.size',
      'ValueRequired input.inputLiterals.note',
      'InvalidValue input.inputs.rate',
      'VariableNameNotFound input.inputs.gone',
    ]);
    expect(outcome.ok ? [] : outcome.problems.map(({ message }) => message)).toEqual([
      'rows: expected integer, got string',
      'missing input path',
      'size: expected enum(small, large), got huge',
      'note: expected exactly one of scalar, collection, map',
      'the launch plan fixes the value of rate',
      'there is no input gone',
    ]);
  });

  it('refuses null for a required input, unless its type accepts null', () => {
    expect(faultsOf(effectiveInputs(launchPlan, { inputs: { path: null } }))).toEqual([
      'MismatchingTypes input.inputs.path',
    ]);
    expect(effectiveInputs(launchPlan, { inputs: { path: 'x', note: null } }).ok).toBe(true);
  });

  it('refuses inputs that are not an object', () => {
    expect(faultsOf(effectiveInputs(launchPlan, { inputs: 'path' }))).toContain('InvalidValue input.inputs');
  });
});
