import { createRequire } from 'node:module';
import { RecordsError } from './errors.ts';

/**
 * The natively compiled package of a codec, loaded when it is called for: one that nobody uses costs a program neither
 * memory (3 MiB) nor the threads that its binary brings along.
 * @throws RecordsError when the package is not there any more, which is no fault of the records nor of the disk they are on
 */
export function loadedWhenNeeded<Module>(codec: string, name: string): () => Module {
  let loaded: Module | null = null;
  return () => (loaded ??= load<Module>(codec, name));
}

function load<Module>(codec: string, name: string): Module {
  try {
    return createRequire(import.meta.url)(name) as Module;
  } catch (error) {
    const message = `The codec ${codec} cannot be used here: its package ${name} cannot be loaded.`;
    throw new RecordsError('UNSUPPORTED_COMPRESSION', message, { cause: error });
  }
}
