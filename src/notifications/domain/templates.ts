import { storable } from '../../platform/text.ts';

interface Version {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly version: string;
}

/** What the placeholders of a template stand for. */
export interface TemplateValues {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  /** In lower case. */
  readonly phase: string;
  /** Empty unless the execution failed. */
  readonly error: string;
  readonly workflow: Version;
  readonly launch_plan: Version;
}

type OwnValue = Exclude<keyof TemplateValues, 'workflow' | 'launch_plan'>;

const placeholder =
  /\{\{ *(?:(project|domain|name|phase|error)|(workflow|launch_plan)\.(project|domain|name|version)) *\}\}/g;

/** A text that is sent is cut to this length. */
const MAX_TEXT = 64 * 1024;

/**
 * The text of a template. Each placeholder is replaced once: what stands in a value is not read as a placeholder. Other
 * braces stay as they are. Source: Flyte v1.16, `flyteadmin/pkg/async/notifications/email.go`.
 */
export function renderTemplate(template: string, values: TemplateValues): string {
  const text = template.replaceAll(
    placeholder,
    // There is either `own`, or `of` and `part`.
    (_all, own: OwnValue, of: 'workflow' | 'launch_plan' | undefined, part: keyof Version) =>
      of ? values[of][part] : values[own],
  );
  return storable(text, MAX_TEXT);
}

/** One line, for the subject of an e-mail. */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 250);
