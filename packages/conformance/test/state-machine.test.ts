import { testStateMachine } from '@raftkit/conformance'
import type { Runner } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { commands, MapMachine, parsed, snapshotOf, split } from './reference/map-machine.ts'

type Defect = (machine: MapMachine) => Partial<MapMachine>

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
    ['looks at the clock', 'at another time', stamped(() => Date.now())],
    ['looks at the date', 'at another time', stamped(() => new Date().toISOString())],
    ['looks at a stopwatch', 'at another time', stamped(() => performance.now())],
    ['throws dice', 'at another time', stamped(() => Math.random())],
    ['makes up names', 'at another time', stamped(() => crypto.randomUUID())],
    ['draws bytes', 'at another time', stamped(() => crypto.getRandomValues(new Uint8Array(4)))],
    ['counts its instances', 'the same responses and state on two replicas', counting()],
    ['keeps views of commands', 'keeps no part of the buffer', keepsViews],
    ['changes commands', 'keeps no part of the buffer', changesCommands],
    ['forgets a response in a batch', 'in batches as one by one', shortBatch],
    ['answers a batch otherwise', 'in batches as one by one', otherBatch],
    ['snapshots what comes later', 'captures the moment of snapshot()', lateSnapshot],
    ['snapshots a moving state', 'while it is written', movingSnapshot],
    ['adds to its state in restore', 'replaces the whole state', addingRestore],
    ['takes a chunk for the whole', 'restores in uneven pieces', firstChunk],
    ['takes half a snapshot', 'refuses to restore from a source that fails', lenientRestore],
    ['takes what there is for all', 'from less than a whole snapshot', linewise],
    ['empties itself before it restores', 'from a source that fails', emptiedRestore],
    ['is spoilt by a failed restore', 'after it refused half of one', restoresOnce],
    ['ignores a writer that fails', 'fails to persist when the writer fails', ignoresWriter],
    ['does not await its writes', 'goes on from a snapshot taken midway', impatient],
    ['leaves something out of snapshots', 'goes on from a snapshot', forgetfulSnapshot],
    ['orders snapshots by history', 'gives the same bytes from equal states', byHistory()],
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
      return withMethods(machine, linewise(machine))
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
      return withMethods(machine, byHistory()(machine))
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

/** A machine that adds something of its own to every value. */
function stamped(stamp: () => unknown): Defect {
  return (machine) => ({
    apply: (entry) => {
      const before = machine.apply(entry)
      machine.values.set(split(entry.data)[0], String(stamp()))
      return before
    },
  })
}

function counting(): Defect {
  let instances = 0
  return (machine) => {
    const mine = ++instances
    return stamped(() => mine)(machine)
  }
}

function keepsViews(machine: MapMachine): Partial<MapMachine> {
  const views = new Map<string, Uint8Array>()
  return {
    apply: (entry) => {
      views.set(split(entry.data)[0], entry.data)
      return machine.apply(entry)
    },
    snapshot: () => snapshotOf([...views].map(([key, view]) => [key, split(view)[1]])),
  }
}

function changesCommands(machine: MapMachine): Partial<MapMachine> {
  return {
    apply: (entry) => {
      const response = machine.apply(entry)
      entry.data.reverse()
      return response
    },
  }
}

function shortBatch(machine: MapMachine): Partial<MapMachine> {
  return { applyBatch: (entries) => machine.applyBatch(entries).slice(1) }
}

function otherBatch(machine: MapMachine): Partial<MapMachine> {
  return { applyBatch: (entries) => machine.applyBatch(entries).map(() => 'done') }
}

function lateSnapshot(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => ({ persist: (writer) => snapshotOf([...machine.values]).persist(writer) }),
  }
}

function movingSnapshot(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => {
      const keys = [...machine.values.keys()]
      const kept = new Map(machine.values)
      return {
        async persist(writer) {
          await writer.write(new Uint8Array(0))
          const pairs = keys.map((key): [string, string] => [key, machine.values.get(key) ?? ''])
          await snapshotOf(kept.size === 0 ? [] : pairs).persist(writer)
        },
      }
    },
  }
}

function addingRestore(machine: MapMachine): Partial<MapMachine> {
  return {
    restore: async (state) => {
      for (const [key, value] of await parsed(state)) machine.values.set(key, value)
    },
  }
}

function firstChunk(machine: MapMachine): Partial<MapMachine> {
  return {
    restore: async (state) => {
      const first = await state[Symbol.asyncIterator]().next()
      if (!first.done) machine.values = new Map(await parsed(one(first.value)))
    },
  }
}

function lenientRestore(machine: MapMachine): Partial<MapMachine> {
  return { restore: (state) => machine.restore(state).catch(() => {}) }
}

function ignoresWriter(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => {
      const snapshot = machine.snapshot()
      return { persist: (writer) => snapshot.persist(writer).catch(() => {}) }
    },
  }
}

function impatient(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => {
      const snapshot = machine.snapshot()
      return {
        async persist(writer) {
          const writes: Promise<void>[] = []
          await snapshot.persist({ write: async (chunk) => void writes.push(writer.write(chunk)) })
          await Promise.all(writes)
        },
      }
    },
  }
}

function forgetfulSnapshot(machine: MapMachine): Partial<MapMachine> {
  return { snapshot: () => snapshotOf([...machine.values].slice(1)) }
}

/** Snapshots that depend on more than the state: how often the machine was restored. */
function byHistory(): Defect {
  return (machine) => {
    let restored = 0
    return {
      restore: (state) => {
        restored++
        return machine.restore(state)
      },
      snapshot: () => {
        const inner = machine.snapshot()
        const padding = new TextEncoder().encode(' '.repeat(restored))
        return {
          async persist(writer) {
            await inner.persist(writer)
            await writer.write(padding)
          },
        }
      },
    }
  }
}

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield chunk
}

/** Snapshots of one line for each pair, which may end anywhere. */
function linewise(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => {
      const lines = [...machine.values].map(([key, value]) => `${key}=${value}\n`)
      return { persist: (writer) => writer.write(new TextEncoder().encode(lines.join(''))) }
    },
    restore: async (state) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of state) chunks.push(chunk)
      const lines = Buffer.concat(chunks).toString().split('\n').filter(Boolean)
      machine.values = new Map(lines.map((line) => split(Buffer.from(line))))
    },
  }
}

function emptiedRestore(machine: MapMachine): Partial<MapMachine> {
  return {
    restore: (state) => {
      machine.values.clear()
      return machine.restore(state)
    },
  }
}

function restoresOnce(machine: MapMachine): Partial<MapMachine> {
  let failed = false
  return {
    restore: async (state) => {
      if (failed) throw new Error('it failed before')
      failed = true
      await machine.restore(state)
    },
  }
}
