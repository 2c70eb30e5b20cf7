import type { StateMachine } from '@raftkit/interface'
import { Stream } from '../random/streams.ts'
import type { World } from '../world/world.ts'
import type { NemesisName, WorldOptions } from '../world/world-options.ts'
import { ACTS } from './acts.ts'

/** One act of a nemesis, as the seed plans it. */
export interface PlannedAct {
  /** Its place among all acts of the seed by time, from 1. It stays the same in a shorter run. */
  readonly number: number
  readonly at: number
  readonly name: NemesisName
  /** Its place among the acts of its nemesis, from 1. */
  readonly turn: number
}

/** What the nemeses of a world will do and when: it follows from the seed, not from what happens. */
export function plannedActs({ seed, intervals, durationMs }: WorldOptions): readonly PlannedAct[] {
  const acts: Omit<PlannedAct, 'number'>[] = []
  for (const name of Object.keys(ACTS) as NemesisName[]) {
    const interval = intervals[name]
    if (interval === Infinity) continue
    const random = new Stream(seed, `nemesis ${name}`)
    let at = random.exponential(interval)
    for (let turn = 1; at < durationMs; turn++) {
      acts.push({ at, name, turn })
      at += random.exponential(interval)
    }
  }
  return acts.toSorted((a, b) => a.at - b.at).map((act, place) => ({ number: place + 1, ...act }))
}

/** Lets every nemesis that is on act at its times, each act with a chance of its own. */
export function scheduleNemeses<M extends StateMachine<R>, R>(world: World<M, R>): void {
  const kept = world.options.onlyActs === undefined ? undefined : new Set(world.options.onlyActs)
  for (const { number, at, name, turn } of plannedActs(world.options)) {
    if (kept?.has(number) === false) continue
    world.time.at(at, () => {
      if (!world.isStormy()) return
      world.trace.tell('nemesis', 'act', number, name)
      ACTS[name](world, world.stream(`nemesis ${name} ${turn}`))
    })
  }
}
