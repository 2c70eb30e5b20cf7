// Ways in which a state machine can be wrong; each is a few methods that replace those of a sound one.

import { parsed, snapshotOf, split } from './reference/map-machine.ts'
import type { MapMachine } from './reference/map-machine.ts'

/** What a broken machine does instead. */
export type Defect = (machine: MapMachine) => Partial<MapMachine>

/** A machine that adds something of its own to every value. */
export function stamped(stamp: () => unknown): Defect {
  return (machine) => ({
    apply: (entry) => {
      const before = machine.apply(entry)
      machine.values.set(split(entry.data)[0], String(stamp()))
      return before
    },
  })
}

export function counting(): Defect {
  let instances = 0
  return (machine) => {
    const mine = ++instances
    return stamped(() => mine)(machine)
  }
}

export function keepsViews(machine: MapMachine): Partial<MapMachine> {
  const views = new Map<string, Uint8Array>()
  return {
    apply: (entry) => {
      views.set(split(entry.data)[0], entry.data)
      return machine.apply(entry)
    },
    snapshot: () => snapshotOf([...views].map(([key, view]) => [key, split(view)[1]])),
  }
}

export function changesCommands(machine: MapMachine): Partial<MapMachine> {
  return {
    apply: (entry) => {
      const response = machine.apply(entry)
      entry.data.reverse()
      return response
    },
  }
}

export function shortBatch(machine: MapMachine): Partial<MapMachine> {
  return { applyBatch: (entries) => machine.applyBatch(entries).slice(1) }
}

export function otherBatch(machine: MapMachine): Partial<MapMachine> {
  return { applyBatch: (entries) => machine.applyBatch(entries).map(() => 'done') }
}

export function lateSnapshot(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => ({ persist: (writer) => snapshotOf([...machine.values]).persist(writer) }),
  }
}

export function movingSnapshot(machine: MapMachine): Partial<MapMachine> {
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

export function addingRestore(machine: MapMachine): Partial<MapMachine> {
  return {
    restore: async (state) => {
      for (const [key, value] of await parsed(state)) machine.values.set(key, value)
    },
  }
}

export function firstChunk(machine: MapMachine): Partial<MapMachine> {
  return {
    restore: async (state) => {
      const first = await state[Symbol.asyncIterator]().next()
      if (!first.done) machine.values = new Map(await parsed(one(first.value)))
    },
  }
}

export function lenientRestore(machine: MapMachine): Partial<MapMachine> {
  return { restore: (state) => machine.restore(state).catch(() => {}) }
}

export function ignoresWriter(machine: MapMachine): Partial<MapMachine> {
  return {
    snapshot: () => {
      const snapshot = machine.snapshot()
      return { persist: (writer) => snapshot.persist(writer).catch(() => {}) }
    },
  }
}

export function impatient(machine: MapMachine): Partial<MapMachine> {
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

export function forgetfulSnapshot(machine: MapMachine): Partial<MapMachine> {
  return { snapshot: () => snapshotOf([...machine.values].slice(1)) }
}

/** Snapshots that depend on more than the state: how often the machine was restored. */
export function byHistory(): Defect {
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
export function linewise(machine: MapMachine): Partial<MapMachine> {
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

export function emptiedRestore(machine: MapMachine): Partial<MapMachine> {
  return {
    restore: (state) => {
      machine.values.clear()
      return machine.restore(state)
    },
  }
}

export function restoresOnce(machine: MapMachine): Partial<MapMachine> {
  let failed = false
  return {
    restore: async (state) => {
      if (failed) throw new Error('it failed before')
      failed = true
      await machine.restore(state)
    },
  }
}
