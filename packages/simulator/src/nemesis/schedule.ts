import type { StateMachine } from '@raftkit/interface'
import type { World } from '../world/world.ts'
import type { NemesisName } from '../world/world-options.ts'
import { ACTS } from './acts.ts'

/** Lets every nemesis that is on act at random times, until the faults end. */
export function scheduleNemeses<M extends StateMachine<R>, R>(world: World<M, R>): void {
  for (const name of Object.keys(ACTS) as NemesisName[]) {
    const interval = world.options.intervals[name]
    if (interval === Infinity) continue
    const random = world.stream(`nemesis ${name}`)
    const next = (): void => {
      world.time.after(random.exponential(interval), () => {
        if (!world.isStormy()) return
        ACTS[name](world, random)
        next()
      })
    }
    next()
  }
}
