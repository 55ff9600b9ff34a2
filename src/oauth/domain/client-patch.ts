import { applyPatch, type Operation, Pointer } from 'rfc6902';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { type ClientSettings, readSettings, settingNames } from './client-settings.ts';

/** One operation of a JSON Patch. Source: RFC 6902. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string | null | undefined;
  readonly value?: unknown;
}

const MAX_OPERATIONS = 100;
/** A value that is copied into itself doubles with each operation. */
const MAX_COPIED = 65_536;
const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/** `redirectUris` is `redirect_uris` in the metadata of RFC 7591, which patches name. */
export const metadataName = (setting: string): string =>
  setting.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const settingOf = new Map(settingNames.map((name) => [metadataName(name), name]));

/** The settings under the names of RFC 7591. */
export const asMetadata = (settings: ClientSettings): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [metadataName(name), value]));

/**
 * The settings after a patch, which addresses them by the names of RFC 7591: `/redirect_uris/0`. Either all operations
 * are applied or none.
 *
 * @throws InvalidArgumentError with all problems. What is not a setting, such as `/client_id`, cannot be patched.
 */
export function patchedSettings(
  settings: ClientSettings,
  patch: readonly PatchOperation[],
  path: readonly string[],
): ClientSettings {
  const problems = patch.flatMap((operation, index) => problemsOf(operation, [...path, String(index)]));
  if (patch.length > MAX_OPERATIONS)
    problems.push({ path, code: 'InvalidValue', message: `must have at most ${MAX_OPERATIONS} operations` });
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const metadata = structuredClone(asMetadata(settings));
  let copied = 0;
  for (const [index, operation] of patch.entries()) {
    const { op, path: pointer, from } = operation;
    const fault = (message: string) => InvalidArgumentError.of([...path, String(index)], message);
    if (op === 'copy') copied += lengthAt(metadata, from ?? '');
    if (copied > MAX_COPIED)
      throw fault(`a patch must copy at most ${MAX_COPIED} characters, written as JSON`);
    const [failure] = applyPatch(metadata, [asOperation(operation)]);
    if (failure) throw fault(`${op} ${pointer} cannot be applied`);
  }
  const patched = Object.entries(metadata).map(([name, value]) => [settingOf.get(name) ?? name, value]);
  return readSettings(Object.fromEntries(patched), path, metadataName);
}

/** The length of what a JSON Pointer leads to, written as JSON. */
const lengthAt = (metadata: object, pointer: string): number =>
  JSON.stringify(Pointer.fromJSON(pointer).get(metadata))?.length ?? 0;

/** Members that are left out must be absent. */
const asOperation = (operation: PatchOperation): Operation =>
  Object.fromEntries(
    Object.entries(operation).filter(([, value]) => value !== undefined),
  ) as unknown as Operation;

function problemsOf({ op, path: pointer, from, value }: PatchOperation, path: readonly string[]): Problem[] {
  const fault = (member: string, message: string): Problem[] => [
    { path: [...path, member], code: 'InvalidValue', message },
  ];
  if (!operations.includes(op)) return fault('op', `must be one of: ${operations.join(', ')}`);
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && value === undefined) return fault('value', `missing value of ${op}`);
  const needsFrom = op === 'move' || op === 'copy';
  if (needsFrom && !isOfSetting(from ?? '')) return fault('from', 'this is not the address of a setting');
  return isOfSetting(pointer) ? [] : fault('path', 'this is not the address of a setting');
}

/** Whether a JSON Pointer leads into a setting, and not to something that every object has. */
function isOfSetting(pointer: string): boolean {
  const [root, setting = '', ...inside] = pointer.split('/');
  return (
    root === '' &&
    settingOf.has(setting) &&
    !inside.some((part) => ['__proto__', 'constructor', 'prototype'].includes(part))
  );
}
