import { RunError } from './run-error.ts';

/** The values that placeholders in a command can name. All of them are texts, and blobs are local paths. */
export interface TemplateValues {
  readonly inputs: ReadonlyMap<string, string>;
  /** The path of the file of each output, by name. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly inputsFile: string;
  readonly inputsDirectory: string;
  readonly outputsDirectory: string;
}

/**
 * Flyte accepts `$` in place of the dot, so `{{$RAND}}` is a placeholder too, an unknown one. Other braces are plain
 * text.
 */
const TEMPLATE = /\{\{\s*[.$]([^{}]*)\}\}/g;

/**
 * Replaces Flyte's placeholders in the words of a command: `{{.inputs.x}}`, `{{.outputs.x}}`, `{{.input}}`,
 * `{{.inputPrefix}}` and `{{.outputPrefix}}`. Spaces inside the braces and upper case are allowed, except in names.
 *
 * One word stays one word, and the inserted values are not searched for placeholders.
 *
 * @throws RunError `TemplateError` that names the unknown placeholder.
 * Source: Flyte `flyteplugins/go/tasks/pluginmachinery/core/template/template.go`.
 */
export function renderCommand(words: readonly string[], values: TemplateValues): string[] {
  return words.map((word, index) => {
    const text = word.replace(TEMPLATE, (template, expression: string) =>
      fillIn(expression.trim(), template, values),
    );
    if (text.includes('\0')) {
      throw templateError(
        `word ${index + 1} of the command contains a NUL character, which arguments cannot contain`,
      );
    }
    return text;
  });
}

function fillIn(expression: string, template: string, values: TemplateValues): string {
  const dot = expression.indexOf('.');
  const root = (dot === -1 ? expression : expression.slice(0, dot)).toLowerCase();
  const name = dot === -1 ? null : expression.slice(dot + 1);

  if (name !== null && root === 'inputs') return named('input', name, values.inputs, template);
  if (name !== null && root === 'outputs') return named('output', name, values.outputs, template);
  if (name === null && root === 'input') return values.inputsFile;
  if (name === null && root === 'inputprefix') return values.inputsDirectory;
  if (name === null && root === 'outputprefix') return values.outputsDirectory;
  throw templateError(`${template} is not a placeholder of this runtime`);
}

function named(kind: string, name: string, known: ReadonlyMap<string, string>, template: string): string {
  const value = known.get(name);
  if (value === undefined) throw templateError(`${template} names an unknown ${kind}, ${name}`);
  return value;
}

function templateError(message: string): RunError {
  return new RunError('USER', 'TemplateError', message);
}
