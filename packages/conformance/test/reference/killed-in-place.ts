// What a process that is killed would leave, without a process: a copy of what a store holds at that moment.

import type { Kill } from '@raftkit/conformance'
import { copyOf, MapStore } from './map-store.ts'

/** Runs steps on a store; gives a store over a copy of its data. `opened` puts the defect in. */
export function killedInPlace(
  opened: (store: MapStore) => MapStore,
  runStep: (store: MapStore, step: number) => Promise<void>,
): Kill<MapStore> {
  return async ({ steps, moment }) => {
    const store = opened(new MapStore())
    let acknowledged = 0
    const last = moment ? steps - 1 : steps
    for (let step = 0; step < last; step++) {
      await runStep(store, step)
      acknowledged++
    }
    if (moment && 'turns' in moment) {
      let isOver = false
      runStep(store, last).then(
        () => {
          if (!isOver) acknowledged++
        },
        () => {},
      )
      for (let turn = 0; turn < moment.turns; turn++)
        await new Promise((resolve) => setImmediate(resolve))
      isOver = true
    }
    const left = opened(new MapStore(copyOf(store.data)))
    return { store: left, acknowledged, diskCalls: Array.from({ length: acknowledged }, () => 0) }
  }
}
