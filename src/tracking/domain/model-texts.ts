import type { Problem } from '../../platform/errors.ts';
import { nameProblems } from './texts.ts';

const MAX_ALIAS = 255;
const MAX_SOURCE = 2048;
const aliasForm = /^[\w.-]+$/;
/** Names that look like versions. */
const likeVersion = /^(v\d+|latest)$/i;
const address = /^([a-z][a-z0-9+.-]*):\/\/[^\s/?#]\S*$/i;
const password = /^[^/]*:\/\/[^/?#@]*:[^/?#@]*@/;

/** Names of models are part of addresses such as `models:/name/1`. Source: MLflow. */
export function modelNameProblems(name: string): Problem[] {
  const problems = nameProblems(name);
  if (problems.length > 0 || !/[/:]/.test(name)) return problems;
  const message = 'the name of a model must not contain a slash or a colon';
  return [{ path: ['input', 'name'], code: 'InvalidValue', message }];
}

/** Source: MLflow's rules for aliases. */
export function aliasProblems(alias: string): Problem[] {
  const fault = (message: string) => [{ path: ['input', 'alias'], code: 'InvalidValue', message }];
  if (alias.length > MAX_ALIAS) return fault(`must have at most ${MAX_ALIAS} characters`);
  if (!aliasForm.test(alias))
    return fault('an alias must have only letters, digits, hyphens, underscores and dots');
  return likeVersion.test(alias) ? fault('an alias must not look like a version') : [];
}

/** The problems of the address of a version, as far as the text shows them. A value is never a path on one machine. */
export function sourceProblems(source: string): Problem[] {
  const fault = (message: string) => [{ path: ['input', 'source'], code: 'InvalidValue', message }];
  if (source.length > MAX_SOURCE) return fault(`must have at most ${MAX_SOURCE} characters`);
  const [, scheme = ''] = address.exec(source) ?? [];
  if (scheme === '' || scheme.toLowerCase() === 'file')
    return fault('must be an address such as slipway://blobs/…, s3://…, gs://… or https://…');
  return password.test(source) ? fault('the address must not contain a password') : [];
}
