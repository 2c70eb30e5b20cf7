// Calls that wait: checks of their options, and the single calls that do not go through a lane of many.
import { type Clock, RaftError } from '@raftkit/interface'
import { Caller, type WaitOptions } from './caller.ts'

/** When a call that starts at `now` ends by itself. Throws `RAFT_INVALID_ARGUMENT` for an unusable timeout. */
export function deadlineOf(options: WaitOptions | undefined, now: number): number {
  const timeoutMs = options?.timeoutMs
  if (timeoutMs === undefined) return Infinity
  if (typeof timeoutMs === 'number' && timeoutMs > 0) return now + timeoutMs
  throw new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `timeoutMs is ${String(timeoutMs)}, it must be a number of milliseconds above 0`,
  )
}

/** One call with limits of its own, under a timer of its own. `start` keeps the caller and settles it. */
export function waitFor<T>(
  clock: Clock,
  subject: string,
  options: WaitOptions | undefined,
  start: (caller: Caller<T>) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const deadline = deadlineOf(options, clock.now())
    const timer =
      deadline === Infinity
        ? undefined
        : clock.setTimer(deadline - clock.now(), () => caller.expire(Infinity))
    const caller = new Caller<T>({
      resolve: (value) => {
        timer?.cancel()
        resolve(value)
      },
      reject: (error) => {
        timer?.cancel()
        reject(error)
      },
      subject,
      deadline,
      signal: options?.signal,
      weight: 0,
    })
    if (!caller.settled) start(caller)
  })
}
