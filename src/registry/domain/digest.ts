import { createHash } from 'node:crypto';
import { canonicalJson } from '../../values/canonical-json.ts';

/**
 * The digest of compiled content, by which a repeated registration is told from a changed one: SHA-256, in hex, of
 * its canonical JSON. It depends on no order of map keys; the compilers have removed every other order that means
 * nothing. Content must carry no time of its making.
 *
 * Hand it a compiled task; a whole workflow closure, so that a changed task makes another workflow; or a launch
 * plan's spec with its expected inputs, not its state.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/util/digests.go`.
 */
export function digestOf(content: object): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}
