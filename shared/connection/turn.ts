/**
 * Calls back when the current callback of the event loop and the promise reactions it set off have run: where what one
 * turn produced is gathered into one write. A tick alone would not do: ticks queued by plain code run before the
 * promise reactions, in which most answers arrive.
 */
export function afterThisTurn(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback));
}
