import { testStateMachine } from '@raftkit/conformance'
import type { Runner } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { commands, MapMachine } from './reference/map-machine.ts'
import * as broken from './state-machine-defects.ts'
import type { Defect } from './state-machine-defects.ts'

/** Registers the suite on the plain machine, with a defect or without. */
function register(runner: Runner, defect: Defect = () => ({})): void {
  testStateMachine({
    runner,
    name: 'MapMachine',
    supports: { canonicalSnapshots: true, detectsTruncation: true, applyBatch: true },
    commands,
    open: () => {
      const machine = new MapMachine()
      return withMethods(machine, defect(machine))
    },
  })
}

describe('testStateMachine', () => {
  register({ describe, it })

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    ['looks at the clock', 'at another time', broken.stamped(() => Date.now())],
    ['looks at the date', 'at another time', broken.stamped(() => new Date().toISOString())],
    ['looks at a stopwatch', 'at another time', broken.stamped(() => performance.now())],
    ['throws dice', 'at another time', broken.stamped(() => Math.random())],
    ['makes up names', 'at another time', broken.stamped(() => crypto.randomUUID())],
    [
      'draws bytes',
      'at another time',
      broken.stamped(() => crypto.getRandomValues(new Uint8Array(4))),
    ],
    ['counts its instances', 'the same responses and state on two replicas', broken.counting()],
    ['keeps views of commands', 'keeps no part of the buffer', broken.keepsViews],
    ['changes commands', 'keeps no part of the buffer', broken.changesCommands],
    ['forgets a response in a batch', 'in batches as one by one', broken.shortBatch],
    ['answers a batch otherwise', 'in batches as one by one', broken.otherBatch],
    ['snapshots what comes later', 'captures the moment of snapshot()', broken.lateSnapshot],
    ['snapshots a moving state', 'while it is written', broken.movingSnapshot],
    ['adds to its state in restore', 'replaces the whole state', broken.addingRestore],
    ['takes a chunk for the whole', 'restores in uneven pieces', broken.firstChunk],
    ['takes half a snapshot', 'refuses to restore from a source that fails', broken.lenientRestore],
    ['takes what there is for all', 'from less than a whole snapshot', broken.linewise],
    ['empties itself before it restores', 'from a source that fails', broken.emptiedRestore],
    ['is spoilt by a failed restore', 'after it refused half of one', broken.restoresOnce],
    ['ignores a writer that fails', 'fails to persist when the writer fails', broken.ignoresWriter],
    ['does not await its writes', 'goes on from a snapshot taken midway', broken.impatient],
    ['leaves something out of snapshots', 'goes on from a snapshot', broken.forgetfulSnapshot],
    ['orders snapshots by history', 'gives the same bytes from equal states', broken.byHistory()],
  ])('finds a machine out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it('puts the clock and the dice back', async () => {
    const before = surroundings()
    await failuresOf((runner) => register(runner), 'at another time')
    expect(surroundings()).toEqual(before)
    expect(Math.abs(Date.now() - new Date().getTime())).toBeLessThan(60_000)
  })

  it.each([
    [{ canonicalSnapshots: true, detectsTruncation: true, applyBatch: false }],
    [{ canonicalSnapshots: false, detectsTruncation: true, applyBatch: true }],
  ])('finds a manifest out that does not fit: %o', async (supports) => {
    const open = (): MapMachine => new MapMachine()
    const failed = await failuresOf(
      (runner) => testStateMachine({ runner, name: 'm', supports, commands, open }),
      'manifest',
    )
    expect(failed.size).toBe(1)
  })

  it.each(['canonicalSnapshots', 'detectsTruncation'] as const)(
    'refutes a manifest that denies %s when the machine has it',
    async (flag) => {
      const all = { canonicalSnapshots: true, detectsTruncation: true, applyBatch: true }
      const failed = await failuresOf(
        (runner) =>
          testStateMachine({
            runner,
            name: 'm',
            supports: { ...all, [flag]: false },
            commands,
            inspect: (machine) => Object.fromEntries(machine.values),
            open: () => new MapMachine(),
          }),
        'manifest',
      )
      expect(String([...failed.values()][0])).toContain(`supports.${flag} is false, but that works`)
    },
  )

  testStateMachine({
    runner: { describe, it },
    name: 'MapMachine that takes what there is for all',
    supports: { canonicalSnapshots: true, detectsTruncation: false, applyBatch: true },
    commands,
    open: () => {
      const machine = new MapMachine()
      return withMethods(machine, broken.linewise(machine))
    },
  })

  testStateMachine({
    runner: { describe, it },
    name: 'MapMachine with snapshots in order of history',
    supports: { canonicalSnapshots: false, detectsTruncation: true, applyBatch: true },
    commands,
    inspect: (machine) => Object.fromEntries(machine.values),
    open: () => {
      const machine = new MapMachine()
      return withMethods(machine, broken.byHistory()(machine))
    },
  })
})

function surroundings(): unknown[] {
  return [
    Reflect.get(globalThis, 'Date'),
    Reflect.get(Math, 'random'),
    Reflect.get(performance, 'now'),
    Reflect.get(crypto, 'randomUUID'),
    Reflect.get(crypto, 'getRandomValues'),
  ]
}
