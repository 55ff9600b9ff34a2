/** Lets the engine store more of a model. */
export function storeAlso(model: { IN_PAYLOAD: string[] }, ...names: readonly string[]): void {
  const stored = [...model.IN_PAYLOAD, ...names];
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => stored });
}
