interface Platform {
  readonly setImmediate?: (callback: () => void) => unknown
}

/**
 * Resolves when every promise job that was under way has run: the barrier between two events of a simulation. Uses
 * `setImmediate` where there is one, a message to itself where not (browsers), a zero timer failing both.
 */
export const macrotask: () => Promise<void> = (() => {
  const immediate = (globalThis as Platform).setImmediate
  if (immediate !== undefined)
    return () =>
      new Promise<void>((resolve) => {
        immediate(resolve)
      })
  if (typeof MessageChannel === 'undefined')
    return () =>
      new Promise<void>((resolve) => {
        setTimeout(resolve, 0)
      })
  const waiting: (() => void)[] = []
  const channel = new MessageChannel()
  channel.port1.onmessage = () => waiting.shift()?.()
  return () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve)
      channel.port2.postMessage(undefined)
    })
})()
