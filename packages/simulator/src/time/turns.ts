interface Platform {
  readonly setImmediate?: (callback: () => void) => unknown
}

/** Turns asked for at once: what the event loop does between two rounds costs as much as a turn. */
const BATCH = 64

/**
 * Calls `step` once in every turn of the event loop until it returns false: between two calls every promise job that was
 * under way runs. Rejects with what `step` throws.
 */
export function everyTurn(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const turn = (): void => {
      if (isOver) return
      try {
        isOver = !step()
        if (isOver) resolve()
      } catch (error) {
        isOver = true
        reject(error)
      }
    }
    const round = (): void => {
      if (isOver) return
      for (let count = 1; count < BATCH; count++) inTurn(turn)
      inTurn(() => {
        turn()
        round()
      })
    }
    round()
  })
}

/**
 * Runs a callback in a turn of its own, after those that were given before: by `setImmediate` where there is one, by a
 * message to itself where not (browsers), by a zero timer failing both.
 */
const inTurn: (callback: () => void) => void = (() => {
  const immediate = (globalThis as Platform).setImmediate
  if (immediate !== undefined) return (callback) => void immediate(callback)
  if (typeof MessageChannel === 'undefined') return (callback) => void setTimeout(callback, 0)
  const waiting: (() => void)[] = []
  const channel = new MessageChannel()
  channel.port1.onmessage = () => waiting.shift()?.()
  return (callback) => {
    waiting.push(callback)
    channel.port2.postMessage(undefined)
  }
})()
