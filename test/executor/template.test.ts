import { describe, expect, it } from 'vitest';
import { renderCommand } from '../../src/executor/host/template.ts';

const values = {
  inputs: new Map([
    ['rows', '100'],
    ['text', '{{.inputs.rows}} $& $1 "q"\n$(id)'],
    ['empty', ''],
  ]),
  outputs: new Map([['model', '/run/outputs/model']]),
  inputsFile: '/run/inputs/inputs.json',
  inputsDirectory: '/run/inputs',
  outputsDirectory: '/run/outputs',
};
const render = (word: string) => renderCommand([word], values)[0];

describe('renderCommand', () => {
  it.each([
    ['{{.inputs.rows}}', '100'],
    ['--rows={{ .inputs.rows }},{{.Inputs.rows}}', '--rows=100,100'],
    ['{{$inputs.rows}}', '100'],
    ['{{.inputs.empty}}', ''],
    ['{{.outputs.model}}', '/run/outputs/model'],
    ['{{.input}} {{.inputPrefix}} {{ .outputPrefix }}', '/run/inputs/inputs.json /run/inputs /run/outputs'],
    ['no template', 'no template'],
    ['{"a": {"b": {{.inputs.rows}}}}', '{"a": {"b": 100}}'],
  ])('fills in %s', (word, expected) => {
    expect(render(word)).toBe(expected);
  });

  it('does not expand an inserted value again, nor read it as a replacement pattern', () => {
    expect(render('<{{.inputs.text}}>')).toBe('<{{.inputs.rows}} $& $1 "q"\n$(id)>');
  });

  it('keeps a value with spaces as one argument', () => {
    expect(renderCommand(['{{.inputs.text}}', '{{.inputs.empty}}', 'x'], values)).toHaveLength(3);
  });

  it.each(['{{ name }}', '{{"a": 1}}', '{{inputs.rows}}', '{{.inputs.rows', '{{}}'])(
    'leaves %s unchanged, which is not a template of Flyte',
    (word) => {
      expect(render(word)).toBe(word);
    },
  );

  it.each([
    ['{{.inputs.nosuch}}', 'unknown input, nosuch'],
    ['{{.inputs.Rows}}', 'unknown input, Rows'],
    ['{{.inputs.rows.x}}', 'unknown input, rows.x'],
    ['{{.inputs}}', '{{.inputs}}'],
    ['{{.outputs.nosuch}}', 'unknown output, nosuch'],
    ['{{$RAND}}', '{{$RAND}} is not a placeholder'],
    ['{{.env.HOME}}', '{{.env.HOME}} is not a placeholder'],
    ['{{.input.rows}}', '{{.input.rows}} is not a placeholder'],
    ['{{.inputPrefix.rows}}', '{{.inputPrefix.rows}} is not a placeholder'],
    ['{{.outputPrefix.rows}}', '{{.outputPrefix.rows}} is not a placeholder'],
    ['{{.}}', '{{.}}'],
  ])('refuses %s and names it', (word, named) => {
    expect(() => render(word)).toThrow(
      expect.objectContaining({
        code: 'TemplateError',
        kind: 'USER',
        message: expect.stringContaining(named),
      }),
    );
  });

  it('refuses a NUL character, which would cut the argument', () => {
    const inputs = new Map([['nul', 'a\0b']]);
    expect(() => renderCommand(['{{.inputs.nul}}'], { ...values, inputs })).toThrow('NUL');
  });
});
