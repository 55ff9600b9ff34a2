import { RunError } from './run-error.ts';

/** What templates in a command may name. All values are texts already, and blobs local paths. */
export interface TemplateValues {
  readonly inputs: ReadonlyMap<string, string>;
  /** Output name → the file it must be written to. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly inputsFile: string;
  readonly inputsDirectory: string;
  readonly outputsDirectory: string;
}

/** Flyte lets `$` stand for the dot, so `{{$RAND}}` is a template too, and an unknown one. Other braces are text. */
const TEMPLATE = /\{\{\s*[.$]([^{}]*)\}\}/g;

/**
 * Fills Flyte's templates into the words of a command: `{{.inputs.x}}`, `{{.outputs.x}}`, `{{.input}}`,
 * `{{.inputPrefix}}` and `{{.outputPrefix}}`; spaces inside the braces and upper case are allowed, except in names.
 *
 * One word stays one word, and what was filled in is not looked at again.
 *
 * @throws RunError `TemplateError` that names what is unknown.
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
  const root = (dot < 0 ? expression : expression.slice(0, dot)).toLowerCase();
  const name = dot < 0 ? null : expression.slice(dot + 1);

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
