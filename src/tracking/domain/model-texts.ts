import type { Problem } from '../../platform/errors.ts';
import { nameProblems } from './texts.ts';

const MAX_ALIAS = 255;
const MAX_SOURCE = 2048;
const aliasForm = /^[\w.-]+$/;
/** `v1` and `latest` read like versions. */
const likeVersion = /^(v\d+|latest)$/i;
const address = /^([a-z][a-z0-9+.-]*):\/\/[^\s/?#]\S*$/i;
const password = /^[^/]*:\/\/[^/?#@]*:[^/?#@]*@/;

/** Names of models stand in addresses such as `models:/name/1`. Source: MLflow. */
export function modelNameProblems(name: string): Problem[] {
  const problems = nameProblems(name);
  if (problems.length > 0 || !/[/:]/.test(name)) return problems;
  const message = 'a name of a model has neither slash nor colon';
  return [{ path: ['input', 'name'], code: 'InvalidValue', message }];
}

/** Source: MLflow's rules for aliases. */
export function aliasProblems(alias: string): Problem[] {
  const fault = (message: string) => [{ path: ['input', 'alias'], code: 'InvalidValue', message }];
  if (alias.length > MAX_ALIAS) return fault(`more than ${MAX_ALIAS} characters`);
  if (!aliasForm.test(alias))
    return fault('an alias has letters, digits, hyphens, underscores and dots only');
  return likeVersion.test(alias) ? fault('an alias must not read like a version') : [];
}

/** What is wrong with where a version's bytes are, as far as the text shows. A path of one machine is never a value. */
export function sourceProblems(source: string): Problem[] {
  const fault = (message: string) => [{ path: ['input', 'source'], code: 'InvalidValue', message }];
  if (source.length > MAX_SOURCE) return fault(`more than ${MAX_SOURCE} characters`);
  const [, scheme = ''] = address.exec(source) ?? [];
  if (scheme === '' || scheme.toLowerCase() === 'file')
    return fault('an address such as slipway://blobs/…, s3://…, gs://… or https://…');
  return password.test(source) ? fault('an address here has no password') : [];
}
