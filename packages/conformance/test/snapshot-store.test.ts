import { testSnapshotStore } from '@raftkit/conformance'
import type { Runner, SnapshotStoreManifest } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { runSnapshotStep } from '../src/snapshot-store/killed.ts'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { MapSnapshotStore } from './reference/map-snapshot-store.ts'
import * as broken from './snapshot-store-defects.ts'
import type { Defect } from './snapshot-store-defects.ts'

const everything: SnapshotStoreManifest = {
  retain: 3,
  reopen: true,
  durable: true,
  checksums: true,
  tornWrites: true,
}

/** Registers the suite on the plain store, with a defect or without. */
function register(
  runner: Runner,
  defect: Defect = () => ({}),
  supports: SnapshotStoreManifest = everything,
): void {
  const opened = (store: MapSnapshotStore): MapSnapshotStore => withMethods(store, defect(store))
  testSnapshotStore({
    runner,
    name: 'MapSnapshotStore',
    supports,
    open: async () => opened(new MapSnapshotStore()),
    reopen: async (store) => opened(new MapSnapshotStore(store.stored)),
    crash: async (store) => opened(new MapSnapshotStore(store.stored)),
    kill: async ({ steps, moment }) => {
      const store = opened(new MapSnapshotStore())
      const last = moment ? steps - 1 : steps
      for (let step = 0; step < last; step++) await runSnapshotStep(store, step)
      if (moment && 'turns' in moment) {
        void runSnapshotStep(store, last)
        for (let turn = 0; turn < moment.turns; turn++)
          await new Promise((resolve) => setImmediate(resolve))
      }
      const left = opened(new MapSnapshotStore(store.stored))
      return { store: left, acknowledged: last, diskCalls: Array.from({ length: last }, () => 0) }
    },
    corrupt: async (store, id) => {
      store.find(id).corrupt = true
    },
    tear: async (store, id) => {
      store.find(id).corrupt = true
    },
  })
}

describe('testSnapshotStore', () => {
  register(
    { describe, it },
    broken.inSinks(() => ({})),
  )

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    [
      'lists a snapshot before it is written',
      'lists nothing before close',
      broken.inSinks(broken.eager),
    ],
    [
      'keeps a cancelled snapshot',
      'leaves nothing of a cancelled',
      broken.inSinks(broken.cancelIsClose),
    ],
    [
      'removes a finished one on cancel',
      'does nothing when a finished',
      broken.inSinks(broken.cancelRemoves),
    ],
    [
      'writes to a finished one',
      'refuses to write to a finished',
      broken.inSinks(broken.neverEnds),
    ],
    ['keeps the buffer it was given', 'keeps its own copy', broken.inSinks(broken.sharing)],
    ['counts chunks for bytes', 'describes a finished snapshot', broken.inSinks(broken.wrongSize)],
    [
      'forgets an entry of the configuration',
      'gives back exactly',
      broken.inSinks(broken.shortConfiguration),
    ],
    [
      'forgets the members after a change',
      'keeps both halves of a joint configuration',
      broken.inSinks(broken.halfConfiguration),
    ],
    ['reuses names', 'gives every sink a name of its own', broken.reusedNames],
    ['keeps everything', 'lists the newest first and keeps 3', broken.keepsAll],
    ['keeps one too few', 'lists the newest first and keeps 3', broken.keepsTwo],
    ['lists the oldest first', 'lists the newest first', broken.oldestFirst],
    ['orders as text', 'orders by term and index as numbers', broken.ordersAsText],
    ['makes room when a snapshot is begun', 'removes nothing when', broken.makesRoom],
    ['mixes two sinks', 'writes two snapshots at once', broken.mixed],
    ['gives out its own bytes', 'gives every reader bytes of its own', broken.shared],
    ['lets only one read', 'lets two read the same snapshot', broken.oneReader],
    ['does not check', 'refuses to open a snapshot whose state is damaged', broken.unchecked],
    ['takes a torn one for whole', 'whose last 20 bytes are cut off', broken.unchecked],
    ['opens nothing when one is damaged', 'whose state is damaged', broken.allOrNothing],
    [
      'lists it before it is whole',
      'when killed while one of 600000 bytes is finished',
      broken.early,
    ],
    [
      'keeps what was abandoned',
      'killed while one of 90000 bytes is abandoned',
      broken.inSinks(broken.eager),
    ],
    ['finishes some time later', 'when its process is killed', broken.inSinks(broken.later)],
    ['finishes twice', 'finishes once when it is closed twice', broken.inSinks(broken.failsTwice)],
    [
      'goes on when cancelled',
      'cancelled in the middle of a write',
      broken.inSinks(broken.revived),
    ],
    [
      'keeps what it says is gone',
      'cancelled while it is closed',
      broken.inSinks(broken.deniesItself),
    ],
    [
      'has one sink for the same entries',
      'others of the same entries lie abandoned',
      broken.exclusive,
    ],
    ['lists what is half there', 'has whole snapshots in its list', broken.early],
    ['forgets when reopened', 'keeps as many as before when reopened', broken.forgetsOne],
    ['forgets what is empty', 'finds a snapshot without bytes', broken.forgetsEmpty],
    ['gives a shortened state', 'gives back exactly the bytes', broken.shortened],
    ['gives nothing for an unknown name', 'holds nothing at first', broken.unknownIsEmpty],
  ])('finds a store out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it('finds a store out that forgets when it says that it keeps', async () => {
    const forgetful: Defect = (store) => ({ list: async () => (await store.list()).slice(0, 0) })
    const failed = await failuresOf((runner) => register(runner, forgetful), 'when reopened, and')
    expect([...failed.keys()]).toEqual(['finds finished snapshots when reopened, and no others'])
  })

  it.each(['reopen', 'durable', 'checksums', 'tornWrites'] as const)(
    'refutes a manifest that denies %s when the store has it',
    async (flag) => {
      const denied = { ...everything, [flag]: false }
      if (flag === 'reopen') denied.durable = false
      const failed = await failuresOf((runner) => register(runner, () => ({}), denied), 'manifest')
      expect(String([...failed.values()][0])).toContain(`supports.${flag} is false, but that works`)
    },
  )

  it('finds a store out that keeps when it says that it forgets', async () => {
    const failed = await failuresOf((runner) =>
      testSnapshotStore({
        runner,
        name: 'MapSnapshotStore',
        supports: {
          retain: 0,
          reopen: false,
          durable: false,
          checksums: false,
          tornWrites: false,
        },
        open: async () => new MapSnapshotStore(),
      }),
    )
    expect([...failed.keys()]).toEqual(['forgets a snapshot that was finished'])
  })
})
