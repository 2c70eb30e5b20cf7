import type { Metrics } from '@raftkit/interface'
import { LevelStore, levelMetricCatalogue } from '@raftkit/store-level'
import { expect, test } from 'vitest'
import { entries } from '../entries.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** Metrics that keep the sum of what they are told, by name. */
function summing(): Metrics & {
  readonly times: Map<string, number>
  readonly sums: Map<string, number>
  readonly gauges: Map<string, () => number | undefined>
} {
  const times = new Map<string, number>()
  const sums = new Map<string, number>()
  const gauges = new Map<string, () => number | undefined>()
  const add = (name: string, value: number): void => {
    times.set(name, (times.get(name) ?? 0) + 1)
    sums.set(name, (sums.get(name) ?? 0) + value)
  }
  return {
    times,
    sums,
    gauges,
    counter: ({ name }) => ({ add: (count) => add(name, count) }),
    histogram: ({ name }) => ({ record: (value) => add(name, value) }),
    gauge: ({ name }, _, read) => {
      gauges.set(name, read)
      return () => void gauges.delete(name)
    },
  }
}

test('writes, bytes and entries are measured until the store is closed', async () => {
  const metrics = summing()
  const store = await LevelStore.open(await temporaryDirectory(), { metrics, boundaryDelayMs: 0 })
  const before = metrics.times.get('raft_level_write_duration_seconds') ?? 0
  const bytesBefore = metrics.sums.get('raft_level_written_bytes_total') ?? 0
  await store.append([entries(1, 5, 1, 100)])
  await store.saveHardState({ term: 1 })
  expect(metrics.times.get('raft_level_write_duration_seconds')).toBe(before + 2)
  const bytes = (metrics.sums.get('raft_level_written_bytes_total') ?? 0) - bytesBefore
  expect(bytes).toBeGreaterThan(500)
  expect(bytes).toBeLessThan(2000)
  expect(metrics.times.get('raft_level_boundary_sync_duration_seconds')).toBeGreaterThan(1)
  const held = metrics.gauges.get('raft_level_log_entries')
  expect(held?.()).toBe(5)
  await store.truncatePrefix(2)
  expect(held?.()).toBe(3)
  await store.truncatePrefix(5)
  expect(held?.()).toBe(0)
  await store.close()
  expect(metrics.gauges.size).toBe(0)
  const measured = [...metrics.times.keys(), 'raft_level_log_entries'].toSorted()
  expect(levelMetricCatalogue.map(({ name }) => name).toSorted()).toEqual(measured)
})

test('metrics that throw change nothing', async () => {
  const fail = (): never => {
    throw new Error('no metrics today')
  }
  const metrics: Metrics = {
    counter: () => ({ add: fail }),
    histogram: () => ({ record: fail }),
    gauge: fail,
  }
  const store = await LevelStore.open(await temporaryDirectory(), { metrics })
  await store.append([entries(1, 5)])
  expect(await store.bounds()).toEqual({ firstIndex: 1, lastIndex: 5 })
  await store.close()
})
