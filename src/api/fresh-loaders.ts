import { newLoaders } from './context.ts';
import type { Resolver } from './guards.ts';

/**
 * The fields of a mutation run one after the other. Each field gets its own loaders, so that it sees what the fields
 * before it wrote, and not what they read before they wrote.
 */
export function freshLoaders(next: Resolver): Resolver {
  return (root, args, context, info) => {
    context.loaders = newLoaders(context.caller);
    return next(root, args, context, info);
  };
}
