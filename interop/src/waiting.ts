// Waiting for an answer to be as wanted, with a bound.
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two questions. */
const PAUSE_MS = 20

/** Longest wait for anything that a healthy cluster does. Far above what it takes, also on a busy machine. */
export const PATIENCE_MS = 30_000

/** Asks until there is an answer other than undefined; rejects after `boundMs`, saying what was waited for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  boundMs: number = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + boundMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`waited ${boundMs} ms in vain for: ${what}`)
    await sleep(PAUSE_MS)
  }
}

/** Rejects when `promise` takes longer than `boundMs`. */
export async function within<T>(promise: Promise<T>, what: string, boundMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${boundMs} ms`)), boundMs)
  })
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
