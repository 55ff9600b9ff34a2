/**
 * The parts of a key, from outside to inside. We need this order because the schema keeps fields and arguments in
 * alphabetical order.
 */
const order = ['project', 'model', 'domain', 'execution', 'name', 'nodeId'];

/**
 * How a message names an object: by the id or name of the address, or by the parts of the key, from outside to inside:
 * `demo/development/chain version v9`, `demo/churn@champion`.
 */
export function addressText(by: object): string {
  const [address] = Object.values(by);
  if (typeof address !== 'object' || address === null) return String(address);
  const { version, alias, ...path } = address as Record<string, unknown>;
  const parts = Object.entries(path)
    .sort(([one], [other]) => order.indexOf(one) - order.indexOf(other))
    .map(([, part]) => (typeof part === 'object' && part !== null ? addressText(part) : String(part)));
  const ending = version === undefined ? '' : ` version ${version}`;
  return `${parts.join('/')}${ending}${alias === undefined ? '' : `@${alias}`}`;
}
