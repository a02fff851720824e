/**
 * Waits until `condition` gives something truthy and returns it. Tests wait for what they assert instead of sleeping;
 * the time limit only bounds a failing run.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 60_000, everyMs = 25 } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false>>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) {
      const detail =
        lastError === undefined
          ? ''
          : `; last error: ${lastError instanceof Error ? lastError.message : JSON.stringify(lastError)}`;
      throw new Error(`waited ${timeoutMs} ms in vain for: ${what}${detail}`);
    }
    await new Promise(resolve => setTimeout(resolve, everyMs));
  }
}
