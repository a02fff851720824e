import { createRequire } from 'node:module';

/**
 * A natively compiled package, loaded when it is called for: a codec that nobody uses costs a program neither the 2 MiB
 * nor the threads that its binary brings along.
 */
export function loadedWhenNeeded<Module>(name: string): () => Module {
  let loaded: Module | null = null;
  return () => (loaded ??= createRequire(import.meta.url)(name) as Module);
}
