import type { ServerId } from '@raftkit/interface'
import type { Violate } from './violation.ts'

/** After its shutdown a server has no timer set: nothing keeps its process alive. */
export function checkTimers(
  violate: Violate,
  id: ServerId,
  { timers }: { readonly timers: number },
): void {
  if (timers > 0) violate('nothing left over', `${id} has ${timers} timers after its shutdown`)
}
