import { createHash } from 'node:crypto';
import { canonicalJson } from '../../values/canonical-json.ts';

/**
 * The digest of compiled content: the SHA-256, in hex, of its canonical JSON. It tells whether a repeated registration
 * is identical. It does not depend on the order of map keys, and the compilers have sorted all lists without a
 * meaningful order. The content must not contain the time of its creation.
 *
 * Pass a compiled task, a whole workflow closure (so that a changed task gives another workflow), or the spec of a
 * launch plan with its expected inputs and without its state.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/util/digests.go`.
 */
export function digestOf(content: object): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}
