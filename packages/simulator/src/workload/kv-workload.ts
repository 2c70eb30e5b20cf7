import type { Random } from '@raftkit/interface'
import { checkLinearizability } from '../linearizability/checker.ts'
import { encodeCommand, kvModel, type KvInput, type KvOutput } from './kv-commands.ts'
import type { KvMachine } from './kv-machine.ts'
import type { Call, Workload } from './workload.ts'

/** Calls per key before clients go on to the next: the checker's work grows with them. */
const CALLS_PER_KEY = 16

/** Clients that put, compare-and-set and read a few registers at a time, with values that never repeat. */
export function kvWorkload(): Workload<KvMachine, KvInput, KvOutput> {
  let calls = 0
  let lastValue = 0
  const recent: number[] = []
  const keys = new Set<string>()
  return {
    restored: (machine) =>
      [...keys].map((key): KvInput => ({ op: 'put', key, value: machine.get(key) })),
    judge: (history) => checkLinearizability(kvModel, history),
    next(random: Random): Call<KvMachine, KvInput, KvOutput> {
      const generation = Math.floor(calls++ / (2 * CALLS_PER_KEY))
      const key = `k${generation}${random.next() < 0.5 ? 'a' : 'b'}`
      keys.add(key)
      const kind = random.next()
      if (kind < 0.4) return { input: { op: 'get', key }, read: (machine) => machine.get(key) }
      const value = ++lastValue
      const place = Math.floor(random.next() * recent.length)
      const expected = recent[place] ?? 0
      const input: KvInput =
        kind < 0.8 ? { op: 'put', key, value } : { op: 'cas', key, value, expected }
      recent.push(value)
      if (recent.length > 3) recent.shift()
      return { input, command: encodeCommand(input) }
    },
  }
}
