import type { Clock, TimerHandle } from '@raftkit/interface'

/** Whether the promise settled in time. */
export async function settledWithin(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<void>,
): Promise<boolean> {
  let timer: TimerHandle | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = clock.setTimer(timeoutMs, () => resolve(false))
  })
  const settled = await Promise.race([promise.then(() => true), late])
  timer?.cancel()
  return settled
}
